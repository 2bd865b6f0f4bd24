//! Which container a process is in, from `/proc/PID/cgroup`.

/// Hexadecimal digits in the id that Docker, containerd, CRI-O and Podman give a container.
const ID_LENGTH: usize = 64;

/// The container that process `pid` is in; `None` outside a container, or if that cannot be read.
pub fn container_of(pid: u32) -> Option<String> {
    super::proc::read_text(pid, "cgroup").ok().and_then(|text| container_id(&text))
}

/// The container id in the text of a cgroup file, version 1 or 2; `None` outside a container.
///
/// Runtimes write the id in many ways: `/docker/ID`, `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`,
/// `libpod-ID.scope`, `/kubepods/.../ID`, `...:cri-containerd:ID`. All have the 64 digits as a word of their own, and
/// nothing else has; the innermost one counts (a container in a container).
pub(super) fn container_id(cgroup: &str) -> Option<String> {
    let mut paths = cgroup.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths.find_map(innermost_id).map(str::to_owned)
}

fn innermost_id(path: &str) -> Option<&str> {
    let words = path.rsplit(|character: char| !character.is_ascii_alphanumeric());
    words.into_iter().find(|word| word.len() == ID_LENGTH && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::container_id;

    #[test]
    fn every_runtime_has_its_way_of_writing_the_id() {
        let id = "8f3a1c".repeat(10) + "abcd";
        for form in [
            "0::/system.slice/docker-ID.scope",
            "12:pids:/docker/ID\n0::/\n",
            "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b_2c.slice/cri-containerd-ID.scope",
            "0::/kubepods.slice/kubepods-pod1.slice/crio-ID.scope/container",
            "0::/machine.slice/libpod-ID.scope/container",
            "11:memory:/kubepods/besteffort/pod0f/ID",
            "11:memory:/system.slice/containerd.service/kubepods-besteffort-pod0.slice:cri-containerd:ID",
            "0::/../../docker-ID.scope",
        ] {
            assert_eq!(container_id(&form.replace("ID", &id)), Some(id.clone()), "{form}");
        }
    }

    #[test]
    fn a_process_outside_a_container_has_none() {
        assert_eq!(container_id("0::/user.slice/user-1000.slice/session-2.scope\n"), None);
        assert_eq!(container_id("0::/system.slice/0123456789abcdef.service"), None);
        assert_eq!(container_id(""), None);
    }
}
