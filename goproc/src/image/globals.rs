//! Where the runtime keeps its variables.
//!
//! A stripped program has no symbols, but it has the names of its functions,
//! and the code of these functions names the variables by address. Each way of
//! finding one was compared with the symbol table of every supported release.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::code::{Code, address_taken, called};
use super::elf::Elf;
use super::error::ImageError;
use super::functions::FunctionTable;
use super::runtime_functions::RuntimeFunctions;
use super::symbols;

/// Names of the variables, in the order of [`Globals`].
const NAMES: [&str; 6] =
    ["runtime.allgs", "runtime.allgptr", "runtime.allglen", "runtime.sched", "runtime.memstats", "runtime.gcController"];

/// Link-time addresses of variables of package runtime. What could not be
/// found is `None`; only `allgs` must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Globals {
    /// The slice of all goroutines: pointer, length, capacity, 8 bytes each.
    pub allgs: u64,
    /// `*[]*g`, the array of `allgs` as published to readers without the lock.
    pub allgptr: Option<u64>,
    /// Its length. Read it before `allgptr`, as `runtime.atomicAllG` does.
    pub allglen: Option<u64>,
    /// The scheduler, a `runtime.schedt`.
    pub sched: Option<u64>,
    /// A `runtime.mstats`.
    pub memstats: Option<u64>,
    /// A `runtime.gcControllerState`.
    pub gc_controller: Option<u64>,
    /// Variables for which the code and the symbol table named different
    /// addresses (the symbol's is used). Empty for every known toolchain.
    pub disputed: Vec<&'static str>,
}

impl Globals {
    pub(super) fn find(
        elf: &Elf,
        code: &Code,
        functions: &FunctionTable,
        runtime: &RuntimeFunctions,
        minor: u8,
    ) -> Result<Self, ImageError> {
        let decoded = Decoder { code, functions, runtime }.all(minor);
        let named = symbols::addresses(elf, NAMES);
        let mut disputed = Vec::new();
        let mut found = [None; NAMES.len()];
        for (((slot, name), decoded), named) in found.iter_mut().zip(NAMES).zip(decoded).zip(named) {
            let usable = |address: &u64| elf.is_writable_memory(*address, 24) && address.is_multiple_of(8);
            let (decoded, named) = (decoded.filter(usable), named.filter(usable));
            if decoded.is_some() && named.is_some() && decoded != named {
                disputed.push(name);
            }
            *slot = named.or(decoded);
        }
        let [allgs, allgptr, allglen, sched, memstats, gc_controller] = found;
        Ok(Self {
            allgs: allgs.ok_or(ImageError::GlobalNotFound { name: "runtime.allgs" })?,
            allgptr,
            allglen,
            sched,
            memstats,
            gc_controller,
            disputed,
        })
    }
}

struct Decoder<'i> {
    code: &'i Code,
    functions: &'i FunctionTable,
    runtime: &'i RuntimeFunctions,
}

impl Decoder<'_> {
    /// The addresses in the order of [`NAMES`].
    fn all(&self, minor: u8) -> [Option<u64>; NAMES.len()] {
        let allgadd = self.instructions("runtime.allgadd");
        let (allgptr, allglen) = exchanged(&allgadd);
        // sched.lock moved when sched.pollingNet was added in front of it.
        let lock_offset = if minor >= 25 { 0x20 } else { 0x18 };
        let lock = self.first_argument(&[("runtime.goschedImpl", "runtime.lock2"), ("runtime.schedEnableUser", "runtime.lock2")]);
        let memstats = self.first_argument(&[
            ("runtime.(*mcache).releaseAll", "runtime.(*consistentHeapStats).acquire"),
            ("runtime.(*mcache).allocLarge", "runtime.(*consistentHeapStats).acquire"),
            ("runtime.(*mcache).refill", "runtime.(*consistentHeapStats).acquire"),
        ]);
        let gc_controller = self.first_argument(&[
            ("runtime.gcStart", "runtime.(*gcControllerState).startCycle"),
            ("runtime.gcMarkDone", "runtime.(*gcControllerState).endCycle"),
            ("runtime.(*mcache).refill", "runtime.(*gcControllerState).update"),
        ]);
        let sched = lock.and_then(|lock| lock.checked_sub(lock_offset));
        [slice(&allgadd), allgptr, allglen, sched, memstats, gc_controller]
    }

    fn instructions(&self, name: &str) -> Vec<Instruction> {
        let record = self.runtime.entry(name).and_then(|entry| self.functions.record(entry));
        record.map(|record| self.code.instructions(record.entry, record.end)).unwrap_or_default()
    }

    /// For the first pair of (caller, callee) that works: the variable whose
    /// address the caller passes as first argument.
    fn first_argument(&self, calls: &[(&str, &str)]) -> Option<u64> {
        calls.iter().find_map(|(caller, callee)| argument(&self.instructions(caller), self.runtime.entry(callee)?))
    }
}

/// The address in RAX, Go's first argument register, at the first call of
/// `callee` that has one.
fn argument(instructions: &[Instruction], callee: u64) -> Option<u64> {
    let mut rax = None;
    for instruction in instructions {
        if let Some((Register::RAX, address)) = address_taken(instruction) {
            rax = Some(address);
        } else if let Some(target) = called(instruction) {
            if target == callee && rax.is_some() {
                return rax;
            }
            rax = None;
        } else if overwrites(instruction, Register::RAX) {
            rax = None;
        }
    }
    None
}

fn overwrites(instruction: &Instruction, register: Register) -> bool {
    instruction.op_count() > 0
        && instruction.op0_kind() == OpKind::Register
        && instruction.op0_register().full_register() == register
        && !matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Nop)
}

/// The slice that `allgs = append(allgs, gp)` reads and writes: the only three
/// adjacent words that `runtime.allgadd` names.
fn slice(instructions: &[Instruction]) -> Option<u64> {
    let named: Vec<u64> = instructions
        .iter()
        .filter(|instruction| instruction.is_ip_rel_memory_operand())
        .filter(|instruction| instruction.mnemonic() != Mnemonic::Lea)
        .map(Instruction::ip_rel_memory_address)
        .collect();
    let has = |start: u64, offset: u64| start.checked_add(offset).is_some_and(|address| named.contains(&address));
    named
        .iter()
        .copied()
        .find(|&start| has(start, 8) && has(start, 16) && !start.checked_sub(8).is_some_and(|before| named.contains(&before)))
}

/// The variables that `runtime.allgadd` publishes atomically: the array, and
/// after it its length.
fn exchanged(instructions: &[Instruction]) -> (Option<u64>, Option<u64>) {
    let mut taken: Vec<(Register, u64)> = Vec::new();
    let mut targets = Vec::new();
    for instruction in instructions {
        if let Some((register, address)) = address_taken(instruction) {
            taken.retain(|&(other, _)| other != register);
            taken.push((register, address));
        } else if instruction.mnemonic() == Mnemonic::Xchg && instruction.op0_kind() == OpKind::Memory {
            let target = if instruction.is_ip_rel_memory_operand() {
                Some(instruction.ip_rel_memory_address())
            } else {
                let base = instruction.memory_base();
                taken.iter().find(|&&(register, _)| register == base).map(|&(_, address)| address)
            };
            targets.extend(target);
        }
    }
    match targets.as_slice() {
        &[array, length, ..] => (Some(array), Some(length)),
        _ => (None, None),
    }
}
