//! Ports that nothing else takes while a test uses them.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which Linux takes ports for outgoing connections (32768 on), so that none of those gets in the way.
const FIRST: u16 = 10_000;
const LAST: u16 = 32_000;

/// A port on 127.0.0.1 that was free just now and that no other caller in this process gets.
///
/// # Panics
/// If all of them are taken.
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = LAST - FIRST;
    // Two runs side by side begin at different places.
    let offset = u16::try_from(std::process::id() % u32::from(span)).expect("smaller than the span");
    for _ in 0..span {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (offset + step % span) % span;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port in {FIRST}..{LAST}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_callers_get_two_ports() {
        assert_ne!(super::free(), super::free());
    }
}
