//! Machine code, decoded.

use iced_x86::{Decoder, DecoderOptions, Instruction, OpKind, Register};

use super::source::Window;

/// More of one function is never read; gcStart, the largest decoded, is 3 KiB.
const MAX_FUNCTION: u64 = 64 << 10;

/// The instructions of the program, by link-time address.
#[derive(Debug)]
pub(super) struct Code {
    start: u64,
    bytes: Window,
}

impl Code {
    pub(super) fn new(start: u64, bytes: Window) -> Self {
        Self { start, bytes }
    }

    pub(super) fn array<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        self.bytes.array(address.checked_sub(self.start)?)
    }

    /// The bytes from `entry` to `end`, at most `MAX_FUNCTION` of them.
    pub(super) fn bytes(&self, entry: u64, end: u64) -> Option<Vec<u8>> {
        let len = end.saturating_sub(entry).min(MAX_FUNCTION);
        let at = entry.checked_sub(self.start)?;
        self.bytes.vec(at, len.min(self.bytes.len().checked_sub(at)?))
    }

    /// The instructions from `entry` to `end`, at most `MAX_FUNCTION` bytes.
    pub(super) fn instructions(&self, entry: u64, end: u64) -> Vec<Instruction> {
        decode(&self.bytes(entry, end).unwrap_or_default(), entry)
    }
}

/// The instructions in `bytes`, which stand at `address`; invalid ones are in
/// the list as such.
pub(super) fn decode(bytes: &[u8], address: u64) -> Vec<Instruction> {
    match Decoder::try_with_ip(64, bytes, address, DecoderOptions::NONE) {
        Ok(decoder) => decoder.into_iter().collect(),
        Err(_) => Vec::new(),
    }
}

/// The target of `call rel32`.
pub(super) fn called(instruction: &Instruction) -> Option<u64> {
    instruction.is_call_near().then(|| instruction.near_branch_target())
}

/// `lea register, [rip + x]`: the register and the address.
pub(super) fn address_taken(instruction: &Instruction) -> Option<(Register, u64)> {
    let is_lea = instruction.mnemonic() == iced_x86::Mnemonic::Lea;
    (is_lea && instruction.is_ip_rel_memory_operand()).then(|| (instruction.op0_register(), instruction.ip_rel_memory_address()))
}

/// `mov register, [base + displacement]` without an index: all three.
pub(super) fn load(instruction: &Instruction) -> Option<(Register, Register, u64)> {
    let is_load = instruction.mnemonic() == iced_x86::Mnemonic::Mov
        && instruction.op0_kind() == OpKind::Register
        && instruction.op1_kind() == OpKind::Memory
        && instruction.memory_index() == Register::None;
    is_load.then(|| (instruction.op0_register(), instruction.memory_base(), instruction.memory_displacement64()))
}
