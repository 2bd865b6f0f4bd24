//! The committed object, relocated once more for the programs whose attach type the loader library does not know.

use std::collections::{BTreeMap, HashSet};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use aya::Ebpf;
use aya_obj::btf::Btf;
use aya_obj::{Function, Object, Program};

use crate::LoadError;
use crate::sys::{Code, load_btf, load_uprobe_multi};

/// The programs as `cargo xtask bpf` builds them; `godefer.bpf.o.sha256` is what it was built from and to.
const OBJECT: &[u8] = aya::include_bytes_aligned!("../godefer.bpf.o");

/// The programs that are attached with one link at many places.
pub(crate) const MULTI: [&str; 4] = ["on_self_test", "on_return", "on_panic", "on_file"];

/// Maps and the timer's program, by the library; and the other programs over these maps.
pub(crate) fn load() -> Result<(Ebpf, BTreeMap<&'static str, OwnedFd>), LoadError> {
    // The library reads the kernel's types too and does not hand them out. That takes longest of all, so the two do it side by side.
    let (ebpf, kernel) = std::thread::scope(|scope| {
        let kernel = scope.spawn(Btf::from_sys_fs);
        (load_maps(), kernel.join())
    });
    let unreadable = |error: &dyn std::fmt::Display| LoadError::NoKernelTypes(error.to_string());
    let ebpf = ebpf?;
    let kernel = kernel.map_err(|_| unreadable(&"reading it failed"))?.map_err(|error| unreadable(&error))?;
    let programs = load_multi(&ebpf, &kernel)?;
    Ok((ebpf, programs))
}

fn load_maps() -> Result<Ebpf, LoadError> {
    // A stack of checks is behind it, of which the first that fails tells what is missing.
    aya::EbpfLoader::new().load(OBJECT).map_err(|error| LoadError::from_library("creating the maps", &error))
}

fn load_multi(ebpf: &Ebpf, kernel: &Btf) -> Result<BTreeMap<&'static str, OwnedFd>, LoadError> {
    let malformed = |error: &(dyn std::error::Error + 'static)| LoadError::from_library("reading the object", error);
    let mut object = Object::parse(OBJECT).map_err(|error| malformed(&error))?;
    let features = aya::features();
    let btf = match features.btf() {
        Some(features) => object.fixup_and_sanitize_btf(features).map_err(|error| malformed(&error))?.map(Btf::to_bytes),
        None => None,
    };
    let btf = btf.map(|bytes| load_btf(&bytes)).transpose();
    let btf = btf.map_err(|error| LoadError::from_io("loading type information", &error))?;
    object.relocate_btf(kernel).map_err(|error| malformed(&error))?;

    let text: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    // Both parses see the maps in the same places, so that the second is told the descriptors of the first.
    let described = object.maps.clone();
    let maps = described.iter().filter_map(|(name, map)| Some((name.as_str(), descriptor(ebpf, name)?, map)));
    object.relocate_maps(maps, &text).map_err(|error| malformed(&error))?;
    object.relocate_calls(&text).map_err(|error| malformed(&error))?;
    object.sanitize_functions(features);

    let mut loaded = BTreeMap::new();
    for name in MULTI {
        let program = object.programs.get(name);
        let function = program.and_then(|program| object.functions.get(&program.function_key()));
        let (Some(program), Some(function)) = (program, function) else {
            return Err(LoadError::Object { doing: "reading the object", reason: format!("there is no program {name}") });
        };
        loaded.insert(name, load_one(name, program, function, btf.as_ref())?);
    }
    Ok(loaded)
}

fn descriptor(ebpf: &Ebpf, name: &str) -> Option<RawFd> {
    use aya::maps::Map;
    match ebpf.map(name)? {
        Map::Array(data) | Map::HashMap(data) | Map::LruHashMap(data) | Map::PerCpuArray(data) | Map::RingBuf(data) => {
            Some(data.fd().as_fd().as_raw_fd())
        }
        _ => None,
    }
}

fn load_one(name: &'static str, program: &Program, function: &Function, btf: Option<&OwnedFd>) -> Result<OwnedFd, LoadError> {
    let instructions: Vec<u8> = function.instructions.iter().copied().flat_map(encode).collect();
    let (functions, lines) = (function.func_info.func_info_bytes(), function.line_info.line_info_bytes());
    let size = |size: usize| u32::try_from(size).unwrap_or(0);
    let code = Code {
        name,
        license: &program.license,
        instructions: &instructions,
        btf: btf.map(AsFd::as_fd),
        functions: &functions,
        function_size: size(function.func_info_rec_size),
        lines: &lines,
        line_size: size(function.line_info_rec_size),
    };
    load_uprobe_multi(&code).map_err(|refused| LoadError::from_verifier(name, refused))
}

/// `struct bpf_insn`: opcode, two registers of four bits, offset, immediate.
fn encode(instruction: aya_obj::generated::bpf_insn) -> [u8; 8] {
    let registers = instruction.dst_reg() | instruction.src_reg() << 4;
    let [off_low, off_high] = instruction.off.to_ne_bytes();
    let [a, b, c, d] = instruction.imm.to_ne_bytes();
    [instruction.code, registers, off_low, off_high, a, b, c, d]
}
