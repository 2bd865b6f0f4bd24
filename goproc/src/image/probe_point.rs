//! Where a breakpoint may stand in a function so that it is cheap and tells
//! the truth.
//!
//! A breakpoint costs half a microsecond where the kernel emulates the
//! instruction under it, and nine where it has to single-step it. What runs
//! before the stack check runs again once the stack has grown, so a breakpoint
//! there counts some calls twice. And the arguments, the return address and
//! the caller's frame pointer are known only until the function touches their
//! registers. So the point is found by decoding, never by a known offset.

use iced_x86::{FlowControl, Formatter as _, GasFormatter, Instruction, Mnemonic, OpKind, Register};

use super::Image;
use super::code::decode;

/// Longest way from the branch of a stack check to its jump back: the spills
/// and reloads of nine integer and fifteen floating-point arguments, and more.
const MAX_TAIL: usize = 64;

/// An instruction that a breakpoint may stand on. Just before it runs the
/// stack pointer is at the return address, R14 holds the goroutine, RBP the
/// caller's frame pointer, and AX, BX, CX, DI, SI, R8 to R11 the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbePoint {
    /// The function's full name.
    pub function: String,
    /// Link-time address of its first instruction.
    pub entry: u64,
    /// Link-time address of the instruction.
    pub address: u64,
    /// Bytes from `entry` to `address`.
    pub offset: u64,
    /// Where the instruction stands in the file.
    pub file_offset: u64,
    /// The instruction as the GNU assembler writes it: `push %rbp`.
    pub instruction: String,
}

/// Why there is no [`ProbePoint`] in a function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProbePoint {
    /// The program has no such function.
    #[error("not in the program: nothing calls it, so that the linker left it out, or this release of Go has no such function")]
    Absent,
    /// No instruction at its beginning is emulated by the kernel, run once per
    /// call, and run before the arguments are lost.
    #[error(
        "no place for a cheap breakpoint: the kernel would have to single-step `{instruction}` in the function at {entry:#x}"
    )]
    NotEmulated {
        /// Link-time address of the function.
        entry: u64,
        /// The instruction at which the search ended.
        instruction: String,
    },
    /// The file does not hold its code, or not where it is executed.
    #[error("its code is not in the file")]
    Unreadable,
}

impl Image {
    /// Where a breakpoint may stand in the function of that full name. See
    /// [`Self::probe_points`] for several.
    pub fn probe_point(&self, function: &str) -> Result<ProbePoint, NoProbePoint> {
        self.probe_points(&[function]).pop().unwrap_or(Err(NoProbePoint::Absent))
    }

    /// The answers for several functions, in their order. Reads all names and
    /// the function table once (milliseconds for a large program).
    ///
    /// A name that compiler-made wrappers share is that of the function itself.
    pub fn probe_points(&self, functions: &[&str]) -> Vec<Result<ProbePoint, NoProbePoint>> {
        let entries = self.functions.entries(functions);
        let found = functions.iter().zip(entries);
        found.map(|(name, entry)| self.point_at(name, entry.ok_or(NoProbePoint::Absent)?)).collect()
    }

    fn point_at(&self, name: &str, entry: u64) -> Result<ProbePoint, NoProbePoint> {
        let end = self.functions.record(entry).ok_or(NoProbePoint::Unreadable)?.end;
        let bytes = self.code.bytes(entry, end).filter(|bytes| !bytes.is_empty()).ok_or(NoProbePoint::Unreadable)?;
        let is_more_stack = |target| self.function_at(target).is_some_and(|f| f.name.starts_with("runtime.morestack"));
        let code = Prologue::new(&bytes, entry, is_more_stack);
        let instruction = code.point().map_err(|stopped| NoProbePoint::NotEmulated { entry, instruction: text(stopped) })?;
        let address = instruction.ip();
        Ok(ProbePoint {
            function: name.to_owned(),
            entry,
            address,
            offset: address.saturating_sub(entry),
            file_offset: self.elf.executable_offset(address).ok_or(NoProbePoint::Unreadable)?,
            instruction: text(Some(instruction)),
        })
    }
}

/// Offset of the first instruction in `code`, the bytes of any function, that
/// the kernel emulates and that is run by every call: a `push`, a `nop` or a
/// `call` that stands before the first branch or return. `address` is that of
/// the first byte.
pub fn emulated_place_in(code: &[u8], address: u64) -> Option<usize> {
    for instruction in decode(code, address) {
        let at = usize::try_from(instruction.ip().checked_sub(address)?).ok()?;
        let bytes = code.get(at..)?.get(..instruction.len())?;
        match instruction.flow_control() {
            FlowControl::Next | FlowControl::Call if is_emulated(bytes) => return Some(at),
            FlowControl::Next if !instruction.is_invalid() => {}
            _ => return None,
        }
    }
    None
}

/// Whether the kernel emulates the instruction of these bytes under a
/// breakpoint (`arch/x86/kernel/uprobes.c` from 4.16 on): `push`, `nop`,
/// `call rel32`, `jmp` and the conditional jumps, all without prefixes. Longer
/// forms of `nop` are emulated by recent kernels only.
fn is_emulated(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0x50..=0x57 | 0x90]
            | [0x41, 0x50..=0x57]
            | [0xeb | 0x70..=0x7f, _]
            | [0xe8 | 0xe9, _, _, _, _]
            | [0x0f, 0x80..=0x8f, _, _, _, _]
    )
}

/// A function's code, seen from its beginning.
struct Prologue<'b> {
    bytes: &'b [u8],
    entry: u64,
    code: Vec<Instruction>,
    /// Position behind the last branch to `runtime.morestack`, from where the
    /// function starts again; 0 when it does not check the stack.
    checked: usize,
    /// The jumps by which it starts again.
    restarts: Vec<u64>,
}

impl<'b> Prologue<'b> {
    fn new(bytes: &'b [u8], entry: u64, is_more_stack: impl Fn(u64) -> bool) -> Self {
        let code = decode(bytes, entry);
        let mut checked = 0;
        let mut restarts = Vec::new();
        for (position, instruction) in code.iter().enumerate() {
            if matches!(instruction.mnemonic(), Mnemonic::Jbe | Mnemonic::Jb)
                && let Some(restart) = restart(&code, entry, instruction.near_branch_target(), &is_more_stack)
            {
                checked = position.saturating_add(1);
                restarts.push(restart);
            }
        }
        Self { bytes, entry, code, checked, restarts }
    }

    /// The point, or the instruction that must not be passed (`None`: the code
    /// ends).
    fn point(&self) -> Result<&Instruction, Option<&Instruction>> {
        for (position, instruction) in self.code.iter().enumerate() {
            if position >= self.checked && self.is_emulated(instruction) && self.runs_once(instruction.ip()) {
                return Ok(instruction);
            }
            let is_check = position < self.checked && instruction.is_jcc_short_or_near();
            if !is_check && !is_harmless(instruction) {
                return Err(Some(instruction));
            }
        }
        Err(None)
    }

    fn is_emulated(&self, instruction: &Instruction) -> bool {
        let at = instruction.ip().checked_sub(self.entry).and_then(|at| usize::try_from(at).ok());
        let bytes = at.and_then(|at| self.bytes.get(at..)?.get(..instruction.len()));
        bytes.is_some_and(is_emulated)
    }

    /// Whether no branch leads back to `address` or in front of it, a restart
    /// after the stack has grown aside. Jumps through a table are taken to go
    /// to its cases, which are behind the prologue.
    fn runs_once(&self, address: u64) -> bool {
        let mut branches = self.code.iter().filter(|instruction| is_branch(instruction));
        branches.all(|branch| {
            let back = (self.entry..=address).contains(&branch.near_branch_target());
            !back || (branch.near_branch_target() == self.entry && self.restarts.contains(&branch.ip()))
        })
    }
}

/// If the code at `target` lets the stack grow and starts the function again,
/// the address of the jump by which it does.
fn restart(code: &[Instruction], entry: u64, target: u64, is_more_stack: impl Fn(u64) -> bool) -> Option<u64> {
    let start = code.binary_search_by_key(&target, Instruction::ip).ok()?;
    let mut tail = code.get(start..)?.iter().take(MAX_TAIL);
    // What calls anything else first is another path, which may end in front of the tail.
    let call = tail.find(|instruction| instruction.flow_control() != FlowControl::Next)?;
    let back = tail.find(|instruction| instruction.flow_control() != FlowControl::Next)?;
    let grows = call.is_call_near() && is_more_stack(call.near_branch_target());
    let restarts = back.is_jmp_short_or_near() && back.near_branch_target() == entry;
    (grows && restarts).then(|| back.ip())
}

fn is_branch(instruction: &Instruction) -> bool {
    instruction.is_jcc_short_or_near() || instruction.is_jmp_short_or_near()
}

/// Whether the instruction leaves everything alone that a probe looks at:
/// memory, and all registers but R12 and R13, which carry no argument in Go.
fn is_harmless(instruction: &Instruction) -> bool {
    match instruction.mnemonic() {
        Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Nop => true,
        Mnemonic::Lea | Mnemonic::Mov | Mnemonic::Add | Mnemonic::Sub => {
            instruction.op0_kind() == OpKind::Register && matches!(instruction.op0_register(), Register::R12 | Register::R13)
        }
        _ => false,
    }
}

fn text(instruction: Option<&Instruction>) -> String {
    let Some(instruction) = instruction else {
        return "(end of the code)".to_owned();
    };
    let mut text = String::new();
    let mut formatter = GasFormatter::new();
    formatter.options_mut().set_branch_leading_zeros(false);
    formatter.options_mut().set_space_after_operand_separator(true);
    formatter.format(instruction, &mut text);
    text
}

#[cfg(test)]
mod tests;
