//! The detector `container`: the id of the container that this process is in.
//!
//! The path of the control group ends in it, unless the group's namespace hides that; then files that the container's runtime mounted
//! still tell where they come from.

use super::{Surroundings, Value};

/// Hexadecimal digits of an id.
const DIGITS: usize = 64;
/// Directories that hold one directory per container, named by its id.
const HOMES: [&str; 3] = ["containers", "overlay-containers", "overlay2-containers"];

pub(super) fn detect(around: &impl Surroundings) -> Vec<(&'static str, Value)> {
    let by_group = || of_cgroup(&around.file("/proc/self/cgroup")?);
    let by_mounts = || of_mounts(&around.file("/proc/self/mountinfo")?);
    by_group().or_else(by_mounts).map(|id| ("container.id", Value::Text(id))).into_iter().collect()
}

/// The innermost id in a path, however it is dressed: `/docker/ID`, `docker-ID.scope`, `...:cri-containerd:ID`. Nothing else has its
/// 64 digits as a word of their own.
fn of_cgroup(text: &str) -> Option<String> {
    let mut words = text.lines().flat_map(|line| line.rsplit(|character: char| !character.is_ascii_alphanumeric()));
    words.find(|word| is_id(word)).map(str::to_owned)
}

/// The directory below one of the [`HOMES`] in the root of a mount (the fourth column). What Kubernetes mounts from a pod's sandbox has the
/// sandbox's id, which is another container's, and lies elsewhere.
fn of_mounts(text: &str) -> Option<String> {
    text.lines().filter_map(|line| line.split(' ').nth(3)).find_map(|root| {
        let pairs = root.split('/').zip(root.split('/').skip(1));
        pairs.filter(|(home, id)| HOMES.contains(home) && is_id(id)).map(|(_, id)| id.to_owned()).next()
    })
}

fn is_id(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
