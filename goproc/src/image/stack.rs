//! Stacks of return addresses, as a probe copies them, into places in the
//! source; and which of these are the program's own.

use super::{Image, Location};

/// Most addresses of one stack that are looked at.
const MAX_DEPTH: usize = 256;
/// Most places that are returned: inlining may give many for one address.
const MAX_LOCATIONS: usize = 1024;

/// Functions that the kernel or a debugger, not a call, put on the stack of
/// the one below them: its address is that of the instruction it was at.
const INJECTED: [&str; 4] = ["runtime.sigpanic", "runtime.asyncPreempt", "runtime.asyncPreempt2", "runtime.debugCallV2"];

impl Image {
    /// The places of a stack of link-time return addresses, innermost first
    /// both; calls that were inlined are undone. An address outside of Go code
    /// is left out.
    ///
    /// A return address is behind its call, so that the instruction before it
    /// is looked up; but the address beyond `runtime.sigpanic` is that of the
    /// instruction that failed.
    pub fn stack(&self, pcs: &[u64]) -> Vec<Location> {
        let mut stack = Vec::new();
        let mut injected = false;
        for &pc in pcs.iter().take(MAX_DEPTH) {
            let at = if injected { pc } else { pc.saturating_sub(1) };
            stack.extend(self.frames(at));
            let function = self.function_at(at);
            injected = function.is_some_and(|function| INJECTED.contains(&function.name.as_str()));
        }
        stack.truncate(MAX_LOCATIONS);
        stack
    }

    /// Whether a package belongs to Go and not to the program or one of its
    /// modules. Knows the main module even if its path looks like one of Go's;
    /// for others see [`is_standard_library`].
    pub fn is_standard_library(&self, package: &str) -> bool {
        let own = |module: &str| package.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_standard_library(package) && !self.module_path().is_some_and(own) && self.main_path() != Some(package)
    }
}

/// The first place that is not of the runtime, which raises many panics on
/// behalf of the code that it was called from.
pub fn first_user_frame(stack: &[Location]) -> Option<&Location> {
    stack.iter().find(|location| !is_runtime(&package_of(&location.function)))
}

/// The import path of the package of a function: `net/http` of
/// `net/http.(*conn).serve.func1`. Dots that the linker escapes (`yaml%2ev3`)
/// are written as dots again. Empty for assembly without a package, such as
/// `memeqbody`.
pub fn package_of(function: &str) -> String {
    // Type arguments hold paths of other packages.
    let name = function.split('[').next().unwrap_or_default();
    let last = name.rfind('/').map_or(0, |slash| slash.saturating_add(1));
    let dot = name.get(last..).and_then(|rest| rest.find('.')).and_then(|dot| last.checked_add(dot));
    let package = dot.and_then(|dot| name.get(..dot)).unwrap_or_default();
    package.replace("%2e", ".")
}

/// Whether a package is one of Go's own: the first element of its path has no
/// dot, and it is neither `main` nor `command-line-arguments`.
///
/// Assumes that modules have paths that begin with a host name, as all do that
/// can be downloaded. A module that calls itself `shop` is taken for Go's;
/// [`Image::is_standard_library`] knows better at least for the main module.
pub fn is_standard_library(package: &str) -> bool {
    let first = package.split('/').next().unwrap_or_default();
    !first.is_empty() && !first.contains('.') && !matches!(package, "main" | "command-line-arguments")
}

/// Whether a package is the runtime or a part of it; what has no package is
/// assembly that the runtime calls.
fn is_runtime(package: &str) -> bool {
    let parts = ["runtime", "internal/runtime"];
    package.is_empty() || parts.iter().any(|part| package.strip_prefix(part).is_some_and(|r| r.is_empty() || r.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_what_stands_before_the_first_dot_behind_the_last_slash() {
        let cases = [
            ("main.main", "main"),
            ("main.(*T).run.func1", "main"),
            ("net/http.(*conn).serve", "net/http"),
            ("github.com/a/b.v2/c.f[...]", "github.com/a/b.v2/c"),
            ("main.keys[go.shape.struct { x/y.z }]", "main"),
            ("gopkg.in/yaml%2ev3.(*Decoder).Decode", "gopkg.in/yaml.v3"),
            ("glob..func1", "glob"),
            ("memeqbody", ""),
            ("", ""),
            ("a/b", ""),
        ];
        for (function, package) in cases {
            assert_eq!(package_of(function), package, "{function}");
        }
    }

    #[test]
    fn a_path_that_begins_with_a_host_is_not_of_the_standard_library() {
        for package in ["encoding/json", "runtime", "vendor/golang.org/x/net/http2", "os"] {
            assert!(is_standard_library(package), "{package}");
        }
        for package in ["main", "command-line-arguments", "github.com/a/b", "golang.org/x/net", ""] {
            assert!(!is_standard_library(package), "{package}");
        }
    }

    #[test]
    fn the_first_frame_of_the_user_is_behind_all_of_the_runtime() {
        let place = |function: &str| Location { function: function.to_owned(), file: String::new(), line: 1 };
        let names = ["memeqbody", "runtime.goPanicIndex", "internal/runtime/maps.(*Map).put", "runtime/debug.x", "runtimes.f"];
        let stack: Vec<Location> = names.into_iter().map(place).collect();
        assert_eq!(first_user_frame(&stack), stack.last());
        assert_eq!(first_user_frame(&stack[..4]), None);
    }
}
