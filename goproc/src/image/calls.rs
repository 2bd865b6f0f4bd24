//! Calls that register a defer, and what a deferred closure calls.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::code::{Code, called, load};
use super::functions::{FunctionTable, Record};
use super::runtime_functions::RuntimeFunctions;

/// `abi.FUNCDATA_WrapInfo`: the offset in the text of the wrapped function.
const WRAP_INFO: usize = 7;
/// Length of `call rel32`, the only form the compiler uses for them.
const CALL: u64 = 5;
const CALL_OPCODE: u8 = 0xe8;

/// The runtime function by which a defer was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeferCall {
    /// In a loop: the record is on the heap.
    Deferproc,
    /// Not in a loop, but not open-coded: the record is in the frame.
    DeferprocStack,
    /// In the body of a range over a function, on behalf of the function
    /// around it (Go 1.23 and newer).
    Deferprocat,
    /// Makes the head of the list that `Deferprocat` adds to.
    Deferrangefunc,
}

/// Which of them a program has: the linker drops those it never calls.
#[derive(Debug)]
pub(super) struct DeferFunctions {
    entries: [(DeferCall, Option<u64>); 4],
}

impl DeferFunctions {
    pub(super) fn new(runtime: &RuntimeFunctions) -> Self {
        let entries = [
            (DeferCall::Deferproc, runtime.entry("runtime.deferproc")),
            (DeferCall::DeferprocStack, runtime.entry("runtime.deferprocStack")),
            (DeferCall::Deferprocat, runtime.entry("runtime.deferprocat")),
            (DeferCall::Deferrangefunc, runtime.entry("runtime.deferrangefunc")),
        ];
        Self { entries }
    }

    /// The function that the instruction before `return_pc` calls, if it is
    /// one of them.
    pub(super) fn called_before(&self, code: &Code, return_pc: u64) -> Option<DeferCall> {
        let [opcode, distance @ ..] = code.array::<5>(return_pc.checked_sub(CALL)?)?;
        let distance = i64::from(i32::from_le_bytes(distance));
        let target = return_pc.checked_add_signed(distance)?;
        let found = self.entries.iter().find(|(_, entry)| *entry == Some(target));
        found.filter(|_| opcode == CALL_OPCODE).map(|&(call, _)| call)
    }
}

/// What runs when a deferred closure is called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callee {
    /// The function that the `defer` statement names, type arguments written
    /// `[...]`. For a call through an
    /// interface or a function value, which only the closure's memory tells,
    /// the name of the wrapper.
    pub name: String,
    /// Link-time address of that function, when it is known and not only a
    /// name of something inlined.
    pub entry: Option<u64>,
    /// Whether the closure is a wrapper the compiler made for the statement.
    pub wrapper: bool,
    /// How to find the callee of an indirect call.
    pub indirect: Option<IndirectCall>,
}

/// A wrapper calls what it finds at `*(*(closure + capture) + slot)`.
///
/// Through an interface, `capture` holds the itab and `slot` is at least 0x18
/// (`abi.ITab.Fun`); the receiver is the word after `capture`. Through a
/// function value, `slot` is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndirectCall {
    /// Bytes from the start of the closure, whose first word is its code.
    pub capture: u32,
    /// Bytes from where that word points to.
    pub slot: u32,
}

/// See [`super::Image::callee`].
pub(super) fn callee(code: &Code, functions: &FunctionTable, entry: u64) -> Option<Callee> {
    let record = functions.record(entry).filter(|record| record.entry == entry)?;
    let name = functions.printed_name(&record)?;
    if !functions.is_wrapper(&record) {
        return Some(Callee { name, entry: Some(entry), wrapper: false, indirect: None });
    }
    let direct = |name, entry| Callee { name, entry, wrapper: true, indirect: None };
    if let Some((entry, name)) = wrapped(functions, &record) {
        return Some(direct(name, Some(entry)));
    }
    if let Some(call) = functions.first_inlined(&record) {
        return Some(direct(call.name, None));
    }
    let instructions = code.instructions(record.entry, record.end);
    Some(match first_call(functions, &instructions) {
        Some(Call::Direct(entry, name)) => direct(name, Some(entry)),
        Some(Call::Indirect(call)) => Callee { indirect: Some(call), ..direct(name, None) },
        None => direct(name, None),
    })
}

/// The function that the compiler noted as the wrapped one. It does so for
/// every static callee, also if that was then inlined.
fn wrapped(functions: &FunctionTable, record: &Record) -> Option<(u64, String)> {
    let at = u64::from(record.function_data(WRAP_INFO)?);
    let offset = u32::from_le_bytes(functions.data.function_data.as_ref()?.array(at)?);
    named(functions, functions.data.text.start.checked_add(u64::from(offset))?)
}

fn named(functions: &FunctionTable, entry: u64) -> Option<(u64, String)> {
    let record = functions.record(entry).filter(|record| record.entry == entry)?;
    Some((entry, functions.printed_name(&record)?))
}

enum Call {
    Direct(u64, String),
    Indirect(IndirectCall),
}

/// What is known of a register: nothing, or where in the closure it is from.
#[derive(Clone, Copy)]
enum Held {
    Captured(u32),
    Behind(IndirectCall),
}

/// The first call that is not the compiler's own.
fn first_call(functions: &FunctionTable, instructions: &[Instruction]) -> Option<Call> {
    let mut held: Vec<(Register, Held)> = Vec::new();
    for instruction in instructions {
        if let Some(target) = called(instruction) {
            match named(functions, target) {
                Some((entry, name)) if !is_support(&name) => {
                    return Some(Call::Direct(entry, name));
                }
                _ => {}
            }
        } else if instruction.mnemonic() == Mnemonic::Call {
            return indirect(&held, instruction).map(Call::Indirect);
        } else if let Some((register, base, displacement)) = load(instruction) {
            let value = loaded(&held, base, displacement);
            held.retain(|&(other, _)| other != register);
            held.extend(value.map(|value| (register, value)));
        } else if instruction.op_count() > 0 && instruction.op0_kind() == OpKind::Register {
            held.retain(|&(other, _)| other != instruction.op0_register().full_register());
        }
    }
    None
}

/// The value at `[base + displacement]`. RDX is the closure on entry, Go's
/// context register, until something else is loaded into it.
fn loaded(held: &[(Register, Held)], base: Register, displacement: u64) -> Option<Held> {
    let offset = u32::try_from(displacement).ok()?;
    match held.iter().find(|&&(register, _)| register == base) {
        Some(&(_, Held::Captured(capture))) => Some(Held::Behind(IndirectCall { capture, slot: offset })),
        None if base == Register::RDX => Some(Held::Captured(offset)),
        _ => None,
    }
}

fn indirect(held: &[(Register, Held)], call: &Instruction) -> Option<IndirectCall> {
    let value = match call.op0_kind() {
        OpKind::Register => {
            let register = call.op0_register();
            held.iter().find(|&&(other, _)| other == register).map(|&(_, value)| value)
        }
        OpKind::Memory if call.memory_index() == Register::None => loaded(held, call.memory_base(), call.memory_displacement64()),
        _ => None,
    };
    match value {
        Some(Held::Behind(call)) => Some(call),
        _ => None,
    }
}

/// Functions that compiled code calls on its own account.
fn is_support(name: &str) -> bool {
    ["runtime.morestack", "runtime.gcWriteBarrier", "runtime.panicwrap", "runtime.race"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}
