//! Programs in namespaces of their own, as in a container: of users, processes and mounts. The program's file is on a file system that
//! nobody else has mounted.

use std::path::Path;
use std::process::Command;

use deferd_fixtures::missing;

use crate::process;
use crate::wait;

/// Namespaces, and an end of what runs in them when `unshare` ends.
const FLAGS: [&str; 6] = ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child"];

/// Mounts, copies, and becomes the program.
const SCRIPT: &str = r#"folder=$1 file=$2; shift 2
mount -t tmpfs none "$folder" && cp "$file" "$folder/program" && exec "$folder/program" "$@""#;

/// The command that starts `file` like this, over `folder`; what it starts is a child of it. `None`, said loudly, where that is not
/// permitted.
///
/// # Panics
/// In CI, if it is not.
pub fn command(folder: &Path, file: &Path, arguments: &[&str]) -> Option<Command> {
    if !process::is_installed("unshare") {
        missing::skip("a program in namespaces of its own", "needs unshare (util-linux)");
        return None;
    }
    let mut attempt = Command::new("unshare");
    attempt.args(FLAGS).args(["sh", "-c", "mount -t tmpfs none \"$1\"", "sh"]).arg(folder);
    let ended = process::run(attempt);
    if ended.code != Some(0) {
        missing::skip("a program in namespaces of its own", &format!("unshare is not permitted: {}", ended.stderr.trim()));
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(FLAGS).args(["sh", "-c", SCRIPT, "sh"]).arg(folder).arg(file).args(arguments);
    Some(command)
}

/// The process that `unshare` has started, by its number here.
///
/// # Panics
/// If there is none.
pub fn inside(unshare: u32) -> u32 {
    let (pid, _) = wait::until("unshare has a child", || {
        let children = std::fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).ok()?;
        children.split_ascii_whitespace().next()?.parse().ok()
    });
    pid
}
