//! Open-coded defers: no record, only a bit and a closure slot in the frame.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::bytes::varint;
use super::code::Code;
use super::functions::{FunctionTable, Record};

/// `abi.FUNCDATA_OpenCodedDeferInfo`.
const OPEN_CODED: usize = 4;
/// The compiler open-codes at most this many defers: the bits are one byte.
const MAX_DEFERS: u32 = 8;

/// Where a function with open-coded defers keeps them, in bytes *below* the
/// top of its local variables, which on amd64 is where RBP points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCoded {
    bits: u32,
    slots: Slots,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Slots {
    /// Go 1.22 and newer: an array; the offset of its first element.
    Array(u32),
    /// Go 1.21: anywhere; the offset of each.
    Listed(Vec<u32>),
}

impl OpenCoded {
    /// The byte whose bit i is set while defer i is pending is at RBP minus
    /// this many bytes.
    pub fn bits_offset(&self) -> u32 {
        self.bits
    }

    /// The pointer to the closure of defer `index` is at RBP minus this many
    /// bytes; `None` when there is no such defer.
    pub fn slot_offset(&self, index: u32) -> Option<u32> {
        match &self.slots {
            Slots::Array(first) if index < MAX_DEFERS => first.checked_sub(8 * index),
            Slots::Array(_) => None,
            Slots::Listed(offsets) => offsets.get(usize::try_from(index).ok()?).copied(),
        }
    }
}

/// Per defer the address of the instruction that puts its closure into its
/// slot.
pub(super) type Statements = [Option<u64>; MAX_DEFERS as usize];

/// Finds the instructions in the code of the function at `pc`. The compiler
/// stores each closure at one place, the `defer` statement, and with its line
/// (`openDeferSave` in `ssagen`); where a slot is cleared at the start, that
/// is no store of a general register.
pub(super) fn statements(code: &Code, functions: &FunctionTable, pc: u64, defers: &OpenCoded) -> Statements {
    let mut found = Statements::default();
    let Some(record) = functions.record(pc) else { return found };
    for instruction in code.instructions(record.entry, record.end).iter().filter(|instruction| is_store(instruction)) {
        let Some(below) = below_frame_pointer(functions, &record, instruction) else { continue };
        let slots = (0..MAX_DEFERS).map(|index| defers.slot_offset(index));
        for (statement, _) in found.iter_mut().zip(slots).filter(|(_, slot)| *slot == Some(below)) {
            statement.get_or_insert(instruction.ip());
        }
    }
    found
}

/// `mov [rsp + x], register` or `mov [rbp - x], register`, of 8 bytes.
fn is_store(instruction: &Instruction) -> bool {
    instruction.mnemonic() == Mnemonic::Mov
        && instruction.op0_kind() == OpKind::Memory
        && instruction.op1_kind() == OpKind::Register
        && instruction.op1_register().size() == 8
        && instruction.memory_index() == Register::None
}

/// How far below RBP the instruction stores.
fn below_frame_pointer(functions: &FunctionTable, record: &Record, store: &Instruction) -> Option<u32> {
    let displacement = store.memory_displacement64();
    let below = match store.memory_base() {
        Register::RBP => 0_u64.wrapping_sub(displacement),
        Register::RSP => {
            let frame = functions.pc_value(record.stack_table(), record.offset_of(store.ip())?)?;
            // The frame includes the saved RBP, to which RBP points.
            u64::try_from(frame).ok()?.checked_sub(8)?.checked_sub(displacement)?
        }
        _ => return None,
    };
    u32::try_from(below).ok()
}

impl FunctionTable {
    /// Those of the function at `pc`, if it has any.
    pub(super) fn open_coded(&self, pc: u64, minor: u8) -> Option<OpenCoded> {
        let record = self.record(pc)?;
        let at = u64::from(record.function_data(OPEN_CODED)?);
        let mut bytes = self.data.function_data.as_ref()?.stream(at);
        decode(&mut || bytes.next(), minor)
    }
}

fn decode(next: &mut impl FnMut() -> Option<u8>, minor: u8) -> Option<OpenCoded> {
    let bits = varint(next)?;
    if minor >= 22 {
        let slots = Slots::Array(varint(next)?);
        return Some(OpenCoded { bits, slots });
    }
    let count = varint(next).filter(|&count| count <= MAX_DEFERS)?;
    // In reverse order of appearance in the function.
    let mut offsets: Vec<u32> = (0..count).map_while(|_| varint(next)).collect();
    offsets.reverse();
    let slots = Slots::Listed(offsets);
    Some(OpenCoded { bits, slots })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(bytes: &[u8], minor: u8) -> Option<OpenCoded> {
        let mut rest = bytes.iter().copied();
        decode(&mut || rest.next(), minor)
    }

    #[test]
    fn slots_are_an_array_since_go_1_22() {
        let info = from(&[0x09, 0x20], 22).expect("two numbers");
        assert_eq!(info.bits_offset(), 9);
        assert_eq!(info.slot_offset(0), Some(0x20));
        assert_eq!(info.slot_offset(2), Some(0x10));
        assert_eq!(info.slot_offset(5), None);
        assert_eq!(info.slot_offset(8), None);
    }

    #[test]
    fn slots_are_listed_backwards_in_go_1_21() {
        let info = from(&[0x09, 2, 0x30, 0x18], 21).expect("two slots");
        assert_eq!(info.slot_offset(0), Some(0x18));
        assert_eq!(info.slot_offset(1), Some(0x30));
        assert_eq!(info.slot_offset(2), None);
    }

    #[test]
    fn more_defers_than_bits_are_refused() {
        assert_eq!(from(&[0x09, 9, 1, 2, 3], 21), None);
        assert_eq!(from(&[0x80], 24), None);
    }
}
