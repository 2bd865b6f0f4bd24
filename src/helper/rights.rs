//! The capabilities of this process. All of it is about the calling thread, so it belongs before any other is started.

use std::io;

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, configure_capability_in_ambient_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

/// Reading the memory of another user's process.
const LOOK: CapabilitySet = CapabilitySet::SYS_PTRACE;
/// Opening a file of mode 0600 or 0500 of another user, as `/proc/PID/mem` and `/proc/PID/fd` are: one of these.
const OPEN: [CapabilitySet; 2] = [CapabilitySet::DAC_READ_SEARCH, CapabilitySet::DAC_OVERRIDE];

/// What of these rights looking at other processes takes; `None` if they do not suffice.
pub(super) fn needed_of(permitted: CapabilitySet) -> Option<CapabilitySet> {
    let open = OPEN.into_iter().find(|right| permitted.contains(*right))?;
    permitted.contains(LOOK).then_some(LOOK | open)
}

/// What this process may use.
pub(super) fn permitted() -> io::Result<CapabilitySet> {
    Ok(capabilities(None)?.permitted)
}

/// Lets a program that is executed from here on have these rights, whoever its user is.
pub(super) fn hand_down(needed: CapabilitySet) -> io::Result<()> {
    let mut sets = capabilities(None)?;
    sets.inheritable |= needed;
    set_capabilities(None, sets)?;
    for right in needed.iter() {
        match configure_capability_in_ambient_set(right, true) {
            // Where ambient capabilities are locked, user 0 hands down all the same; the helper says whether it has them.
            Ok(()) | Err(Errno::PERM) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Gives up every right but `kept`, also those that an executed program could gain.
pub(super) fn give_up_all_but(kept: CapabilitySet) -> io::Result<()> {
    // First, because it takes a right. Without that right the set stays, and no program can gain anything from it all the same.
    for bit in 0..u64::BITS {
        let right = CapabilitySet::from_bits_retain(1 << bit);
        match remove_capability_from_bounding_set(right) {
            Ok(()) => {}
            // The kernel knows no more of them; or it takes CAP_SETPCAP.
            Err(Errno::INVAL | Errno::PERM) => break,
            Err(errno) => return Err(errno.into()),
        }
    }
    match clear_ambient_capability_set() {
        // Before Linux 4.3 there are none.
        Ok(()) | Err(Errno::INVAL) => {}
        Err(errno) => return Err(errno.into()),
    }
    set_no_new_privs(true)?;
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() })?;
    // What decides is what the kernel says now.
    let left = capabilities(None)?;
    if left.permitted == kept && left.effective == kept && left.inheritable.is_empty() {
        Ok(())
    } else {
        Err(io::Error::other(format!("capabilities {:?} are left", left.permitted)))
    }
}

/// What the helper does first.
pub(super) fn keep_what_looking_needs() -> io::Result<()> {
    let needed = needed_of(permitted()?).ok_or_else(|| io::Error::from_raw_os_error(Errno::PERM.raw_os_error()))?;
    give_up_all_but(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_takes_the_right_to_trace_and_one_to_open() {
        let (trace, open, over) = (LOOK, CapabilitySet::DAC_READ_SEARCH, CapabilitySet::DAC_OVERRIDE);
        assert_eq!(needed_of(CapabilitySet::all()), Some(trace | open));
        assert_eq!(needed_of(trace | open | CapabilitySet::CHOWN), Some(trace | open));
        assert_eq!(needed_of(trace | over), Some(trace | over));
        for too_few in [CapabilitySet::empty(), trace, open | over, CapabilitySet::SYS_ADMIN] {
            assert_eq!(needed_of(too_few), None, "{too_few:?}");
        }
    }
}
