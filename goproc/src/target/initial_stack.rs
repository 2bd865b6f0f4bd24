//! What the kernel put on a process's stack before its first instruction: arguments, environment, auxiliary vector.
//!
//! `/proc/PID/auxv` and `environ` say the same, but their mode is 0400: a reader of another user with `CAP_SYS_PTRACE` and nothing
//! else (no `CAP_DAC_READ_SEARCH`) cannot open them. The addresses are in `/proc/PID/stat`, and reading the memory takes the one
//! right that everything else takes. The files come first: the kernel keeps them, the process can write over its stack.

use std::io::{self, ErrorKind};

use super::proc::{self, Stat};
use crate::memory::{Extent, Memory};

/// Most bytes of an auxiliary vector; the kernel's has 24 pairs of 16 bytes at most.
const MAX_AUXV: u64 = 4096;

/// Most bytes of an environment searched: the kernel's default limit for arguments and environment together.
const MAX_ENVIRONMENT: u64 = 2 << 20;

/// Most bytes between the start of the stack and the text of the arguments: pointers to 100,000 of them.
const MAX_POINTERS: u64 = 1 << 20;

/// The auxiliary vector of process `pid`: pairs of key and value, 16 bytes each.
pub(super) fn auxiliary_vector(pid: u32, stat: &Stat, memory: &impl Memory) -> io::Result<Vec<u8>> {
    proc::read(pid, "auxv", MAX_AUXV).or_else(|refused| {
        let pointers = memory_instead(memory, refused, stat.stack, stat.arguments, MAX_POINTERS)?;
        Ok(behind_environment(&pointers).unwrap_or_default().to_vec())
    })
}

/// The initial environment of process `pid`: texts that end with a NUL.
pub(super) fn environment(pid: u32, stat: &Stat, memory: &impl Memory) -> io::Result<Vec<u8>> {
    let (first, end) = stat.environment;
    proc::read(pid, "environ", MAX_ENVIRONMENT).or_else(|refused| memory_instead(memory, refused, first, end, MAX_ENVIRONMENT))
}

/// At most `limit` bytes of the memory from `start` to `end`, if it was the file's mode that refused them.
fn memory_instead(memory: &impl Memory, refused: io::Error, start: u64, end: u64, limit: u64) -> io::Result<Vec<u8>> {
    let length = end.saturating_sub(start).min(limit);
    // The kernel gives 0 for addresses to those who may not read the memory either.
    let (ErrorKind::PermissionDenied, 1.., 1.., Ok(length)) = (refused.kind(), start, length, usize::try_from(length)) else {
        return Err(refused);
    };
    let mut bytes = vec![0; length];
    let copied = memory.read(&[Extent { address: start, length }], &mut bytes).map_err(|_| refused)?;
    bytes.truncate(copied);
    Ok(bytes)
}

/// What follows the count of arguments, their addresses, and the addresses of the environment, each list ended by a null.
fn behind_environment(stack: &[u8]) -> Option<&[u8]> {
    let (words, _) = stack.as_chunks::<8>();
    let count = usize::try_from(u64::from_le_bytes(*words.first()?)).ok()?;
    let environment = count.checked_add(2)?;
    let length = words.get(environment..)?.iter().position(|word| *word == [0; 8])?;
    stack.get((environment + length + 1) * size_of::<u64>()..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::ProcessMemory;

    fn stack(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn our_own_stack_says_what_the_files_say() {
        let pid = std::process::id();
        let stat = Stat::read(pid).unwrap();
        let refused = || io::Error::from(ErrorKind::PermissionDenied);
        let pointers = memory_instead(&ProcessMemory::new(pid), refused(), stat.stack, stat.arguments, MAX_POINTERS).unwrap();
        let found = proc::entry_address(behind_environment(&pointers).unwrap());
        assert!(found.is_some());
        assert_eq!(found, proc::entry_address(&proc::read(pid, "auxv", MAX_AUXV).unwrap()));
        let (first, end) = stat.environment;
        let environment = memory_instead(&ProcessMemory::new(pid), refused(), first, end, MAX_ENVIRONMENT).unwrap();
        assert_eq!(environment, proc::read(pid, "environ", MAX_ENVIRONMENT).unwrap());
    }

    #[test]
    fn memory_is_read_only_where_the_mode_of_the_file_refused() {
        let pid = std::process::id();
        let stat = Stat::read(pid).unwrap();
        for (kind, start) in [(ErrorKind::NotFound, stat.stack), (ErrorKind::PermissionDenied, 0)] {
            let refused = memory_instead(&ProcessMemory::new(pid), kind.into(), start, stat.arguments, MAX_POINTERS).unwrap_err();
            assert_eq!(refused.kind(), kind);
        }
    }

    #[test]
    fn a_stack_that_lies_gives_nothing_or_what_is_there() {
        assert_eq!(behind_environment(&stack(&[1, 7, 0, 8, 8, 0, 9, 5])), Some(stack(&[9, 5]).as_slice()));
        for lie in [&[][..], &[u64::MAX], &[u64::MAX - 1, 0], &[3, 0], &[0, 0, 8, 8]] {
            assert_eq!(behind_environment(&stack(lie)), None, "{lie:?}");
        }
        assert_eq!(behind_environment(&stack(&[0, 0, 0])), Some(&[][..]));
    }
}
