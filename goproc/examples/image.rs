//! Prints what a Go executable says of itself, and how long it took to ask:
//! `cargo run --release --example image -- FILE`.

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use deferd_goproc::image::Image;

/// Opens measured; the fastest is told, as what the machine can do.
const OPENS: usize = 20;
/// Source lines looked up, spread over the program.
const LOOKUPS: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: image FILE")?;
    let file = File::open(path)?;
    let image = Image::read(&file)?;
    let mut out = stdout().lock();
    writeln!(out, "version    {}", image.version().text())?;
    writeln!(out, "main       {}", image.main_path().unwrap_or("-"))?;
    writeln!(out, "module     {}", image.module_path().unwrap_or("-"))?;
    writeln!(out, "build id   {}", image.build_id().unwrap_or("-"))?;
    writeln!(out, "pie        {}", image.is_pie())?;
    writeln!(out, "text       {:x?}", image.text())?;
    writeln!(out, "functions  {}", image.function_count())?;
    writeln!(out, "variables  {:x?}", image.globals())?;
    let mut fastest = Duration::MAX;
    for _ in 0..OPENS {
        let start = Instant::now();
        black_box(Image::read(&file)?);
        fastest = fastest.min(start.elapsed());
    }
    writeln!(out, "open       {:.2} ms", fastest.as_secs_f64() * 1e3)?;
    writeln!(out, "location   {} ns", lookup(&image, Image::location))?;
    writeln!(out, "frames     {} ns", lookup(&image, Image::frames))?;
    writeln!(out, "function   {} ns", lookup(&image, Image::function_at))?;
    writeln!(out, "callee     {} ns", lookup(&image, |image, pc| { image.callee(image.function_at(pc)?.entry) }))?;
    writeln!(out, "defer call {} ns", lookup(&image, Image::defer_call_before))?;
    writeln!(out, "open-coded {} ns", lookup(&image, Image::open_coded))?;
    Ok(())
}

/// Nanoseconds per call of `ask` with a pc of the program.
fn lookup<T>(image: &Image, ask: impl Fn(&Image, u64) -> T) -> u128 {
    let text = image.text();
    let step = usize::try_from((text.end - text.start) / LOOKUPS as u64).unwrap_or(1);
    let start = Instant::now();
    let mut asked = 0;
    for pc in text.step_by(step.max(1)) {
        black_box(ask(image, pc));
        asked += 1;
    }
    start.elapsed().as_nanos() / u128::max(asked, 1)
}
