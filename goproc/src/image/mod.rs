//! What a Go executable says of itself.
//!
//! An [`Image`] is read from the file alone and never changes, so one is
//! shared by all processes of a file. Every address is a *link-time* address:
//! subtract the load bias of a process ([`Image::load_bias`]) from an address
//! seen there before asking, and add it to one that is to be read there.
//!
//! Programs built by Go 1.21 to 1.27 for linux/amd64 are understood, stripped
//! or not, fixed or position independent, linked by Go or by the system's
//! linker, and without section headers. Sections and symbols are used when
//! they are there; the function table, which panics need and no linker strips,
//! is what everything rests on.
//!
//! The file is not trusted: whatever its bytes, nothing here panics, runs long
//! or takes more memory than a small part of the file's size. Questions about
//! single addresses read a few short pieces of the file (a few microseconds
//! from the page cache) and remember nothing, so callers that ask the same
//! thing often keep the answers.

mod buildinfo;
mod bytes;
mod calls;
mod code;
mod elf;
mod error;
mod functions;
mod globals;
mod goroutines;
mod location;
mod moduledata;
mod names;
mod notes;
mod open_coded;
mod pcvalue;
mod probe_point;
mod relocations;
mod runtime_functions;
mod search;
mod source;
mod stack;
mod symbols;
mod types;

use std::fs::File;
use std::ops::Range;
use std::os::fd::BorrowedFd;

pub use buildinfo::GoVersion;
pub use calls::{Callee, DeferCall, IndirectCall};
pub use error::ImageError;
pub use functions::Function;
pub use globals::Globals;
pub use location::Location;
pub use open_coded::OpenCoded;
pub use probe_point::{NoProbePoint, ProbePoint, emulated_place_in};
pub use stack::{first_user_frame, is_standard_library, package_of};
pub use types::{Field, GoType, Shape};

use buildinfo::BuildInfo;
use calls::DeferFunctions;
use code::Code;
use elf::Elf;
use functions::FunctionTable;
use moduledata::ModuleData;
use runtime_functions::RuntimeFunctions;
use source::Source;

/// One Go executable file.
#[derive(Debug)]
pub struct Image {
    elf: Elf,
    info: BuildInfo,
    build_id: Option<String>,
    functions: FunctionTable,
    code: Code,
    defers: DeferFunctions,
    globals: Globals,
}

impl Image {
    /// Reads what is needed of `file`, and keeps it open for later questions.
    ///
    /// Takes milliseconds; the function names are read through once, the rest
    /// of the file only if it has no section headers. Keeps eight bytes per
    /// function.
    pub fn read(file: &File) -> Result<Self, ImageError> {
        let mut elf = Elf::read(Source::open(file)?)?;
        let info = BuildInfo::read(&elf)?;
        let minor = info.version.minor();
        let functions = FunctionTable::read(ModuleData::find(&elf, minor)?, minor)?;
        let text = &functions.data.text;
        let bytes = elf.bytes_from(text.start).ok_or(ImageError::FunctionTable { what: "its text is not in the file" })?;
        let code = Code::new(text.start, bytes);
        let runtime = RuntimeFunctions::find(&functions);
        let globals = Globals::find(&elf, &code, &functions, &runtime, minor)?;
        let build_id = notes::build_id(&elf);
        let defers = DeferFunctions::new(&runtime);
        elf.sections = Vec::new();
        Ok(Self { elf, info, build_id, functions, code, defers, globals })
    }

    /// The file, which stays the one that was read even if another takes its path.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.elf.source.file()
    }

    /// The Go release that built it.
    pub fn version(&self) -> &GoVersion {
        &self.info.version
    }

    /// Path of the main module, such as `github.com/nats-io/nats-server/v2`;
    /// `None` for a program built outside a module.
    pub fn module_path(&self) -> Option<&str> {
        self.info.module_path.as_deref()
    }

    /// Import path of package main; `command-line-arguments` for loose files.
    pub fn main_path(&self) -> Option<&str> {
        self.info.main_path.as_deref()
    }

    /// The Go build id, else the GNU build id in hexadecimal.
    pub fn build_id(&self) -> Option<&str> {
        self.build_id.as_deref()
    }

    /// Whether it is loaded at an address chosen by the kernel.
    pub fn is_pie(&self) -> bool {
        self.elf.is_pie
    }

    /// The lowest address that is loaded.
    pub fn first_load_vaddr(&self) -> u64 {
        self.elf.first_address()
    }

    /// From the lowest to the highest address that is loaded, gaps included.
    /// The heap and the stacks of a process are outside.
    pub fn loaded(&self) -> Range<u64> {
        let ends = self.elf.loads().map(elf::Segment::memory);
        let end = ends.map(|memory| memory.end).max();
        self.elf.first_address()..end.unwrap_or(0)
    }

    /// What is added to link-time addresses in a process, from one line of its
    /// memory map that names this file: where the mapping starts, and which
    /// offset of the file stands there.
    ///
    /// 0 for a program that is not position independent. `None` for a mapping
    /// that is not the beginning of a loaded segment: try the next line.
    pub fn load_bias(&self, map_start: u64, map_file_offset: u64) -> Option<u64> {
        self.elf.load_bias(map_start, map_file_offset)
    }

    /// The Go code, `runtime.text` to `runtime.etext`. C code is outside.
    pub fn text(&self) -> Range<u64> {
        self.functions.data.text.clone()
    }

    /// The runtime's variables.
    pub fn globals(&self) -> &Globals {
        &self.globals
    }

    /// How many functions the program has.
    pub fn function_count(&self) -> usize {
        self.functions.len()
    }

    /// All functions in the order of their addresses; damaged ones are left
    /// out.
    pub fn functions(&self) -> impl Iterator<Item = Function> + '_ {
        let records = (0..self.functions.len()).filter_map(|index| self.functions.nth(index));
        records.filter_map(|record| self.functions.function(&record))
    }

    /// The function whose code `pc` is in (as compiled: inlining is not
    /// undone). Padding belongs to the function before it.
    pub fn function_at(&self, pc: u64) -> Option<Function> {
        self.functions.function(&self.functions.record(pc)?)
    }

    /// Whether `pc` is the first instruction of a function. Reads nothing.
    pub fn is_function_entry(&self, pc: u64) -> bool {
        self.functions.is_entry(pc)
    }

    /// The source line of the instruction at `pc`, in the innermost function
    /// if it was inlined. For a return address pass `address - 1`, which is in
    /// the call.
    pub fn location(&self, pc: u64) -> Option<Location> {
        self.functions.frames(pc, 1).pop()
    }

    /// The line of the instruction at `pc` and, if it was inlined, of the
    /// calls around it, innermost first; at most 128. See [`Self::location`].
    pub fn frames(&self, pc: u64) -> Vec<Location> {
        self.functions.frames(pc, usize::MAX)
    }

    /// Bytes between the stack pointer and the return address while the
    /// instruction at `pc` is about to run; `None` outside Go code.
    pub fn frame_size(&self, pc: u64) -> Option<u32> {
        let record = self.functions.record(pc)?;
        let size = self.functions.pc_value(record.stack_table(), record.offset_of(pc)?)?;
        u32::try_from(size).ok()
    }

    /// The way the defer was registered whose `_defer.pc` is `return_pc`;
    /// `None` when no such call stands before it, so that the record is torn
    /// or not one.
    pub fn defer_call_before(&self, return_pc: u64) -> Option<DeferCall> {
        self.defers.called_before(&self.code, return_pc)
    }

    /// Whether `pc` is where its function calls `runtime.deferreturn` to
    /// resume after a recovered panic. Go 1.21 writes it into `_defer.pc` of
    /// an open-coded defer for the time of a panic.
    pub fn is_deferreturn_pc(&self, pc: u64) -> bool {
        let function = self.function_at(pc);
        function.is_some_and(|function| function.deferreturn == Some(pc))
    }

    /// What the deferred closure whose code begins at `entry` calls: if it is
    /// a wrapper that the compiler made (`.deferwrapN`, `.funcN` in Go 1.21),
    /// the function the `defer` statement names, else itself. `None` when no
    /// function begins there.
    pub fn callee(&self, entry: u64) -> Option<Callee> {
        calls::callee(&self.code, &self.functions, entry)
    }

    /// Where the function at `pc` keeps its open-coded defers; `None` when it
    /// has none.
    pub fn open_coded(&self, pc: u64) -> Option<OpenCoded> {
        self.functions.open_coded(pc, self.info.version.minor())
    }

    /// The instructions of the function at `pc` that put the closures of its
    /// open-coded defers into their slots, by index: their lines are those of
    /// the `defer` statements. `None` where there is no such defer, or where
    /// the instruction is not one that the compiler is known to write.
    pub fn open_coded_statements(&self, pc: u64) -> [Option<u64>; 8] {
        let defers = self.open_coded(pc);
        defers.map(|defers| open_coded::statements(&self.code, &self.functions, pc, &defers)).unwrap_or_default()
    }

    /// Whether a goroutine that starts at `start_pc` is one of the runtime's
    /// own, which `runtime.NumGoroutine` does not count.
    pub fn is_system_goroutine(&self, start_pc: u64) -> bool {
        let record = self.functions.record(start_pc);
        let name = record.and_then(|record| self.functions.name(&record));
        name.is_some_and(|name| goroutines::is_system(&name))
    }
}
