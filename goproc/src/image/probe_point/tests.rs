use super::*;

const ENTRY: u64 = 0x40_1000;
/// Where the made-up `runtime.morestack_noctxt` is.
const MORE_STACK: u64 = ENTRY + 0x100;

/// What the search says of code: the offset of the point, or the text of the
/// instruction that stopped it.
fn point(code: &[u8]) -> Result<u64, String> {
    let prologue = Prologue::new(code, ENTRY, |target| target == MORE_STACK);
    prologue.point().map(|found| found.ip() - ENTRY).map_err(text)
}

/// `code`, whose last instruction is a branch to what is appended: a call of
/// `MORE_STACK` and a jump to the entry.
fn with_tail(code: &[u8]) -> Vec<u8> {
    let mut all = code.to_vec();
    all.push(0xe8);
    let after = i32::try_from(all.len() + 4).unwrap();
    all.extend((0x100 - after).to_le_bytes());
    all.push(0xeb);
    let after = i8::try_from(all.len() + 1).unwrap();
    all.extend((-after).to_le_bytes());
    all
}

/// `cmp 0x10(%r14), %rsp`.
const CHECK: [u8; 4] = [0x49, 0x3b, 0x66, 0x10];
const PUSH_RBP: u8 = 0x55;
const RET: u8 = 0xc3;

#[test]
fn the_push_after_the_stack_check_is_the_point() {
    let code = [&CHECK[..], &[0x76, 0x02, PUSH_RBP, RET]].concat();
    assert_eq!(point(&with_tail(&code)), Ok(6));
}

#[test]
fn a_large_frame_has_two_checks_and_the_point_is_behind_both() {
    // mov %rsp, %r12; sub $0x1000, %r12; jb; nop; cmp 0x10(%r14), %r12; jbe; push; ret
    let mut code = vec![0x49, 0x89, 0xe4, 0x49, 0x81, 0xec, 0x00, 0x10, 0x00, 0x00, 0x72, 0x09, 0x90];
    code.extend([0x4d, 0x3b, 0x66, 0x10, 0x76, 0x02, PUSH_RBP, RET]);
    assert_eq!(point(&with_tail(&code)), Ok(19));
}

#[test]
fn a_function_without_a_stack_check_is_probed_at_its_entry() {
    assert_eq!(point(&[PUSH_RBP, 0x48, 0x89, 0xe5, RET]), Ok(0));
    assert_eq!(point(&[0x41, 0x57, RET]), Ok(0), "push %r15");
}

#[test]
fn a_long_nop_is_passed_because_older_kernels_step_it() {
    assert_eq!(point(&[0x0f, 0x1f, 0x40, 0x00, PUSH_RBP, RET]), Ok(4));
    assert_eq!(point(&[0x66, 0x90, 0x90, RET]), Ok(2));
}

#[test]
fn nothing_behind_a_changed_register_is_a_point() {
    let cases: [(&[u8], &str); 5] = [
        (&[0x48, 0x83, 0xec, 0x18, PUSH_RBP], "sub $0x18, %rsp"),
        (&[0x31, 0xc0, PUSH_RBP], "xor %eax, %eax"),
        (&[0x4c, 0x8b, 0x33, PUSH_RBP], "mov (%rbx), %r14"),
        (&[0x48, 0x89, 0x44, 0x24, 0x08, PUSH_RBP], "mov %rax, 8(%rsp)"),
        (&[RET], "ret"),
    ];
    for (code, stopped) in cases {
        assert_eq!(point(code), Err(stopped.to_owned()), "{code:x?}");
    }
    assert_eq!(point(&[0x90, 0xf0][1..]), Err("(bad)".to_owned()));
    assert_eq!(point(&[]), Err("(end of the code)".to_owned()));
}

#[test]
fn what_a_loop_comes_back_to_is_no_point() {
    // push %rax; jmp back to it.
    assert_eq!(point(&[0x50, 0xeb, 0xfd]), Err("push %rax".to_owned()));
    // cmp; push; then a jump between the two.
    let code = [&CHECK[..], &[PUSH_RBP, 0xeb, 0xfd]].concat();
    assert_eq!(point(&code), Err("push %rbp".to_owned()));
}

#[test]
fn a_branch_that_looks_like_a_stack_check_and_is_none_is_itself_the_point() {
    // cmp; jbe to a return: emulated, and run once.
    let code = [&CHECK[..], &[0x76, 0x01, PUSH_RBP, RET]].concat();
    assert_eq!(point(&code), Ok(4));
}

#[test]
fn a_place_for_a_self_test_is_before_the_first_branch() {
    // sub $8, %rsp; call; ret
    assert_eq!(emulated_place_in(&[0x48, 0x83, 0xec, 0x08, 0xe8, 0, 0, 0, 0, RET], ENTRY), Some(4));
    assert_eq!(emulated_place_in(&[0x48, 0x89, 0xf8, PUSH_RBP], ENTRY), Some(3));
    for without in [&[0xeb, 0x00, PUSH_RBP][..], &[RET, PUSH_RBP], &[0xff, 0xd0, PUSH_RBP], &[0x74, 0x00, PUSH_RBP], &[0x06], &[]]
    {
        assert_eq!(emulated_place_in(without, ENTRY), None, "{without:x?}");
    }
}

#[test]
fn random_bytes_give_an_answer() {
    let mut random = fastrand::Rng::with_seed(0x00de_fe4e);
    for _ in 0..20_000 {
        let code: Vec<u8> = (0..random.usize(..48)).map(|_| random.u8(..)).collect();
        let _ = point(&code);
        if let Some(at) = emulated_place_in(&code, random.u64(..)) {
            assert!(at < code.len());
        }
    }
}
