//! Stacks, next to what `runtime/debug.Stack` prints.

use deferd_goproc::image::{Location, first_user_frame};

use crate::program::runs;

#[test]
fn every_stack_is_the_one_that_go_prints() {
    for run in runs() {
        let (mut seen, mut leaves) = (0, 0);
        for (name, pcs, text) in run.stacks() {
            let stack = run.image.stack(&pcs);
            let mut expected = own_frames(text);
            let signal = pcs.iter().position(|pc| run.image.function_at(*pc).is_some_and(|f| f.name == "runtime.sigpanic"));
            if let Some(fault) = signal.and_then(|at| pcs.get(at + 1))
                && run.image.frame_size(*fault) == Some(0)
            {
                // Without a frame of its own, what the frame pointer leads to is its caller's caller.
                let inner = expected.iter().position(|(function, _)| function == "main.load").expect(text);
                expected.remove(inner + run.image.frames(*fault).len());
                leaves += 1;
            }
            let main: Vec<_> = stack.iter().filter(|frame| frame.function.starts_with("main.")).map(place).collect();
            assert_eq!(main, expected, "{}: {name}\n{text}\n{stack:#?}", run.name);
            assert_eq!(stack.last().map(|frame| frame.function.as_str()), Some("runtime.goexit"), "{}: {name}", run.name);
            // Behind the function that looks is the runtime, and then whoever raised the panic.
            let raised = stack.iter().position(|frame| frame.function == "runtime.gopanic").expect("it panicked");
            let first = first_user_frame(&stack[raised..]).map(|frame| frame.function.as_str());
            let raising = match name {
                "panic" => "main.innermost",
                "index" => "main.indexes",
                _ => "main.load",
            };
            assert_eq!(first, Some(raising), "{}: {name}", run.name);
            seen += 1;
        }
        assert_eq!(seen, 4, "{}", run.name);
        assert!(leaves > 0, "{}: the fixture has a function without a frame", run.name);
    }
}

#[test]
fn addresses_outside_of_the_program_are_left_out() {
    let run = runs().next().expect("a fixture");
    assert_eq!(run.image.stack(&[]), []);
    assert_eq!(run.image.stack(&[0, 1, u64::MAX, run.image.text().end + 1]), []);
    let main = run.image.text().start + 1;
    assert!(run.image.stack(&vec![main; 100_000]).len() <= 1024);
}

fn place(frame: &Location) -> (String, u32) {
    (frame.function.clone(), frame.line)
}

/// The functions of package main in Go's text, with their lines.
fn own_frames(text: &str) -> Vec<(String, u32)> {
    let mut lines = text.lines();
    let mut frames = Vec::new();
    while let (Some(call), Some(place)) = (lines.next(), lines.next()) {
        let function = call.rsplit_once('(').expect("a call").0;
        let line = place.split_whitespace().next().and_then(|place| place.rsplit_once(':'));
        if function.starts_with("main.") {
            frames.push((function.to_owned(), line.expect("a line").1.parse().expect("a number")));
        }
    }
    frames
}
