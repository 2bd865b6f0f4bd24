//! The three `bpf(2)` commands that the loader library does not offer in the form needed, and what else takes `unsafe`: there is none
//! in the project but here.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// `BPF_PROG_LOAD`, `BPF_BTF_LOAD`, `BPF_LINK_CREATE` of `<linux/bpf.h>`.
const PROG_LOAD: libc::c_long = 5;
const BTF_LOAD: libc::c_long = 18;
const LINK_CREATE: libc::c_long = 28;
/// `BPF_PROG_TYPE_KPROBE`, which uprobes are too.
const PROG_TYPE_KPROBE: u32 = 2;
/// `BPF_TRACE_UPROBE_MULTI`.
const ATTACH_UPROBE_MULTI: u32 = 48;
/// Text of the verifier that is kept; it ends with what is wrong.
const LOG: usize = 64 << 10;

/// `union bpf_attr` for `BPF_PROG_LOAD`, up to and with the last field that is set.
#[derive(Default)]
#[repr(C)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
    prog_btf_fd: u32,
    func_info_rec_size: u32,
    func_info: u64,
    func_info_cnt: u32,
    line_info_rec_size: u32,
    line_info: u64,
    line_info_cnt: u32,
    attach_btf_id: u32,
}

/// The same for `BPF_BTF_LOAD`.
#[derive(Default)]
#[repr(C)]
struct BtfLoad {
    btf: u64,
    log_buf: u64,
    btf_size: u32,
    log_size: u32,
    log_level: u32,
    flags: u32,
}

/// The same for `BPF_LINK_CREATE` with a `uprobe_multi` link.
#[derive(Default)]
#[repr(C)]
struct LinkCreate {
    prog_fd: u32,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
    path: u64,
    offsets: u64,
    ref_ctr_offsets: u64,
    cookies: u64,
    cnt: u32,
    multi_flags: u32,
    pid: u32,
    padding: u32,
}

// The kernel reads by offset: a field too much or too few would move all behind it.
const _: () = assert!(size_of::<ProgLoad>() == 112 && size_of::<BtfLoad>() == 32 && size_of::<LinkCreate>() == 64);

/// What the kernel answered, and what its verifier wrote.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: io::Error,
    pub(crate) log: String,
}

/// A program ready to be loaded.
pub(crate) struct Code<'a> {
    pub(crate) name: &'a str,
    pub(crate) license: &'a std::ffi::CStr,
    /// 8 bytes each.
    pub(crate) instructions: &'a [u8],
    pub(crate) btf: Option<BorrowedFd<'a>>,
    pub(crate) functions: &'a [u8],
    pub(crate) function_size: u32,
    pub(crate) lines: &'a [u8],
    pub(crate) line_size: u32,
}

/// Loads type information.
pub(crate) fn load_btf(btf: &[u8]) -> io::Result<OwnedFd> {
    let attributes = BtfLoad { btf: address(btf), btf_size: length(btf), ..BtfLoad::default() };
    call(BTF_LOAD, &attributes)
}

/// Loads a program that can be attached at many places with one link.
pub(crate) fn load_uprobe_multi(code: &Code<'_>) -> Result<OwnedFd, Refused> {
    let mut attributes = ProgLoad {
        prog_type: PROG_TYPE_KPROBE,
        insn_cnt: length(code.instructions) / 8,
        insns: address(code.instructions),
        license: code.license.as_ptr().addr() as u64,
        expected_attach_type: ATTACH_UPROBE_MULTI,
        ..ProgLoad::default()
    };
    // The last byte stays zero.
    for (to, from) in attributes.prog_name.iter_mut().take(15).zip(code.name.bytes()) {
        *to = from;
    }
    if let Some(btf) = code.btf {
        attributes.prog_btf_fd = btf.as_raw_fd().unsigned_abs();
        attributes.func_info_rec_size = code.function_size;
        attributes.func_info = address(code.functions);
        attributes.func_info_cnt = length(code.functions).checked_div(code.function_size).unwrap_or(0);
        attributes.line_info_rec_size = code.line_size;
        attributes.line_info = address(code.lines);
        attributes.line_info_cnt = length(code.lines).checked_div(code.line_size).unwrap_or(0);
    }
    let refused = match call(PROG_LOAD, &attributes) {
        Ok(program) => return Ok(program),
        Err(error) => error,
    };
    // Once more for the verifier's reasons, which would only have cost time before.
    let mut log = vec![0_u8; LOG];
    attributes.log_level = 1;
    attributes.log_size = length(&log);
    attributes.log_buf = log.as_mut_ptr().expose_provenance() as u64;
    call(PROG_LOAD, &attributes).map_err(|_| {
        let text: Vec<u8> = log.into_iter().take_while(|byte| *byte != 0).collect();
        Refused { error: refused, log: String::from_utf8_lossy(&text).into_owned() }
    })
}

/// Places a breakpoint at each of the file offsets in `path`, for process `pid` alone. They go when the descriptor is closed.
///
/// The offsets must be beginnings of instructions; the kernel does not check it.
pub(crate) fn link_uprobe_multi(
    program: BorrowedFd<'_>,
    path: &std::path::Path,
    offsets: &[u64],
    cookies: &[u64],
    pid: u32,
) -> io::Result<OwnedFd> {
    use std::os::unix::ffi::OsStrExt;
    if offsets.len() != cookies.len() || offsets.is_empty() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let path = CString::new(path.as_os_str().as_bytes())?;
    let attributes = LinkCreate {
        prog_fd: program.as_raw_fd().unsigned_abs(),
        attach_type: ATTACH_UPROBE_MULTI,
        path: path.as_ptr().addr() as u64,
        offsets: address(offsets),
        cookies: address(cookies),
        cnt: u32::try_from(offsets.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        pid,
        ..LinkCreate::default()
    };
    call(LINK_CREATE, &attributes)
}

/// Lets the signals pass by that end a service, a group or a terminal's processes. For processes that end when their work is done.
pub fn outlive_signals() {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
        // SAFETY: no handler is installed, so that nothing of ours can run at a moment that it is not made for.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// The address of a slice for the kernel, which reads it during the call; whoever makes the call keeps the slice.
fn address<T>(slice: &[T]) -> u64 {
    slice.as_ptr().expose_provenance() as u64
}

/// No slice here comes near 4 GiB.
fn length(slice: &[u8]) -> u32 {
    u32::try_from(slice.len()).unwrap_or(0)
}

/// A command that answers with a new descriptor.
fn call<T>(command: libc::c_long, attributes: &T) -> io::Result<OwnedFd> {
    let size = size_of::<T>();
    // SAFETY: `attributes` is `size` readable bytes, one of the structures above, without padding that is not initialised. Of the
    // addresses in them each is zero or that of a live buffer of the length beside it, and the kernel writes to `log_buf` alone,
    // which comes from a buffer that the caller holds mutably and does not look at during the call.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attributes), size) };
    match i32::try_from(answer) {
        // SAFETY: an answer that is not negative to one of these commands is a descriptor that was made for this call.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(io::Error::last_os_error()),
    }
}
