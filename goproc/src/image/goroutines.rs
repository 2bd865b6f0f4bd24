//! Which goroutines are the runtime's own.

/// `runtime.isSystemGoroutine` for a goroutine whose start function is called
/// `name`.
///
/// The runtime asks at a goroutine's creation and end, to keep the number that
/// `runtime.NumGoroutine` subtracts. The goroutines of finalizers and cleanups
/// (`runfinq`, `runFinalizers`, `runCleanups`) are its own at their creation
/// and remain so for that number, although the same test made while they run
/// the user's code says otherwise.
pub(super) fn is_system(name: &str) -> bool {
    let users = ["runtime.main", "runtime.corostart", "runtime.handleAsyncEvent"];
    name.starts_with("runtime.") && !users.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::is_system;

    #[test]
    fn only_package_runtime_starts_system_goroutines() {
        for name in ["runtime.forcegchelper", "runtime.runfinq", "runtime.bgsweep"] {
            assert!(is_system(name), "{name}");
        }
        for name in ["main.main", "runtime.main", "runtime.corostart", "runtime/pprof.x"] {
            assert!(!is_system(name), "{name}");
        }
    }
}
