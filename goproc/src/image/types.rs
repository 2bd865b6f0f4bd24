//! Go types out of the file: what a value in memory is, and what it is called.
//!
//! The compiler writes a description (`abi.Type`) of every type that may stand
//! in an interface, for reflection and for panics. Offsets and kinds are those
//! of `internal/abi/type.go`; they are the same in all supported versions but
//! for the flag of direct interface values. Types that a program makes at run
//! time (`reflect.StructOf`) are on its heap, not here.

use std::ops::Range;

use super::Image;
use super::bytes::{i32_at, u64_at, varint};
use super::relocations::Relocations;

/// `abi.Type`, and behind it the longest of the kinds' own parts.
const TYPE: usize = 0x30;
const TYPE_AND_PART: usize = TYPE + 0x20;
const SIZE: usize = 0x00;
const FLAGS: usize = 0x14;
const KIND: usize = 0x17;
const NAME: usize = 0x28;
/// The part of a kind: `Elem` of a pointer, `Fields` of a struct (behind
/// `PkgPath`), `Methods` of an interface (likewise).
const ELEMENT: usize = 0x30;
const LIST: usize = 0x38;
const LIST_LEN: usize = 0x40;
/// `abi.StructField`: name, type, offset.
const FIELD: usize = 24;
/// The two words of a non-empty interface's `abi.ITab` that name types.
const ITAB: usize = 16;

/// `abi.TFlagExtraStar`: the name begins with a star that is not its own.
const FLAG_EXTRA_STAR: u8 = 1 << 1;
/// Where "the interface's word is the value itself" is noted: `KindDirectIface`
/// until 1.25, `TFlagDirectIface` since.
const DIRECT: u8 = 1 << 5;
const KIND_MASK: u8 = DIRECT - 1;

const WORD: u64 = 8;
/// Entries of `runtime.staticuint64s`.
const SMALL_NUMBERS: u64 = 256;

/// What one question may cost. Structs are shown whole only if they are small.
const MAX_DEPTH: usize = 4;
const MAX_FIELDS: usize = 32;
const MAX_TYPES: usize = 128;
/// The compiler cuts no names, but those that people read are short.
const MAX_NAME: usize = 1024;

/// A type, as far as values of it can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoType {
    /// As `%T` prints it: `string`, `main.Code`, `*fs.PathError`.
    pub name: String,
    /// Bytes of a value.
    pub size: u64,
    /// Whether an interface holds the value itself (a pointer, in effect)
    /// rather than its address.
    pub is_direct: bool,
    /// How to read a value.
    pub shape: Shape,
}

/// How the bytes of a value are read; sizes are bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// One byte.
    Bool,
    /// A signed integer.
    Int(u8),
    /// An unsigned integer, `uintptr` among them.
    Uint(u8),
    /// A floating-point number.
    Float(u8),
    /// Two floating-point numbers, together of that size.
    Complex(u8),
    /// Address and length.
    String,
    /// The fields in their order; at most 32, and none below four levels.
    Struct {
        /// Those that are known.
        fields: Vec<Field>,
        /// Whether there are more.
        more: bool,
    },
    /// An address, and what is there if it is known; never known in a field.
    Pointer(Option<Box<GoType>>),
    /// A pair of words: the type, or for an interface with methods a table
    /// that names the type; and the value or its address.
    Interface {
        /// Whether it has methods.
        has_methods: bool,
    },
    /// Address, length, capacity.
    Slice,
    /// A word that is zero or refers to what cannot be read from outside:
    /// channel, function, map, `unsafe.Pointer`.
    Reference,
    /// An array, or a kind that is not known.
    Other,
}

/// One field of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; the type's, if it is embedded.
    pub name: String,
    /// Where in the struct.
    pub offset: u64,
    /// What it is.
    pub kind: GoType,
}

impl Image {
    /// The type whose description is at the link-time address `address`;
    /// `None` where there is none in the file.
    pub fn go_type(&self, address: u64) -> Option<GoType> {
        Types { image: self, left: MAX_TYPES }.read(address, MAX_DEPTH)
    }

    /// The address of the description of the type that an interface with
    /// methods holds, from the link-time address of its table (`abi.ITab`).
    pub fn type_of_itab(&self, itab: u64) -> Option<u64> {
        let words = self.data_words(itab, ITAB, &[0, 8])?;
        let is_type = |at| u64_at(&words, at).filter(|address| self.functions.data.types.contains(address));
        is_type(0).and(is_type(8))
    }

    /// `len` bytes at a link-time address that the program cannot have changed
    /// and that hold no address.
    pub fn constant(&self, address: u64, len: u64) -> Option<Vec<u8>> {
        let end = address.checked_add(len)?;
        let meets = |memory: Range<u64>| memory.start < end && address < memory.end;
        if self.elf.writable().any(|segment| meets(segment.memory())) {
            return self.small_number(address, len);
        }
        self.elf.bytes_at(address, len)?.vec(0, len)
    }

    /// A number in `runtime.staticuint64s`, the numbers from 0 to 255, which
    /// stand there so that no small number in an interface needs memory. In
    /// many releases they are among the variables, though nothing writes them.
    fn small_number(&self, address: u64, len: u64) -> Option<Vec<u8>> {
        let number = u64::from_le_bytes(self.elf.bytes_from(address)?.array(0)?);
        let number = u8::try_from(number).ok().filter(|_| len <= WORD)?;
        let table = address.checked_sub(u64::from(number).checked_mul(WORD)?)?;
        let table = self.elf.bytes_at(table, SMALL_NUMBERS * WORD)?.vec(0, SMALL_NUMBERS * WORD)?;
        let is_table = (0..SMALL_NUMBERS).zip(table.chunks_exact(8)).all(|(number, word)| word == number.to_le_bytes());
        is_table.then(|| u64::from(number).to_le_bytes().into_iter().take(usize::try_from(len).unwrap_or(0)).collect())
    }

    /// The `len` bytes of a constant text at a link-time address: as
    /// [`Self::constant`], or the name of a type, a method or a field, which
    /// stands in memory that is writable while the program is loaded.
    pub fn constant_text(&self, address: u64, len: u64) -> Option<Vec<u8>> {
        let types = &self.functions.data.types;
        if types.start <= address && address.checked_add(len)? <= types.end {
            return self.elf.bytes_at(address, len)?.vec(0, len);
        }
        self.constant(address, len)
    }

    /// `len` bytes of data with pointers at `pointers`, as they are once the
    /// program is loaded at its link-time address.
    fn data_words(&self, address: u64, len: usize, pointers: &[usize]) -> Option<Vec<u8>> {
        let bytes = self.elf.bytes_from(address)?;
        let len = u64::try_from(len).ok()?.min(bytes.len());
        let bytes = bytes.vec(0, len)?;
        let is_missing = |at: &usize| u64_at(&bytes, *at) == Some(0);
        if !self.elf.is_pie || !pointers.iter().any(is_missing) {
            return Some(bytes);
        }
        let mut pieces = [(address, bytes)];
        Relocations::new(&self.elf).apply(&mut pieces);
        let [(_, bytes)] = pieces;
        Some(bytes)
    }
}

/// One question about a type, and what it may still cost.
struct Types<'i> {
    image: &'i Image,
    left: usize,
}

impl Types<'_> {
    fn read(&mut self, address: u64, depth: usize) -> Option<GoType> {
        self.left = self.left.checked_sub(1)?;
        let image = self.image;
        if !image.functions.data.types.contains(&address) {
            return None;
        }
        let head = image.elf.bytes_at(address, TYPE as u64)?.array::<TYPE>(0)?;
        let kind = head.get(KIND)? & KIND_MASK;
        let flags = *head.get(FLAGS)?;
        let direct = if image.info.version.minor() >= 26 { flags } else { *head.get(KIND)? };
        Some(GoType {
            name: self.type_name(i32_at(&head, NAME)?, flags & FLAG_EXTRA_STAR != 0)?,
            size: u64_at(&head, SIZE)?,
            is_direct: direct & DIRECT != 0,
            shape: self.shape(kind, address, depth),
        })
    }

    fn shape(&mut self, kind: u8, address: u64, depth: usize) -> Shape {
        match kind {
            1 => Shape::Bool,
            2 | 6 => Shape::Int(8),
            3 => Shape::Int(1),
            4 => Shape::Int(2),
            5 => Shape::Int(4),
            7 | 11 | 12 => Shape::Uint(8),
            8 => Shape::Uint(1),
            9 => Shape::Uint(2),
            10 => Shape::Uint(4),
            13 => Shape::Float(4),
            14 => Shape::Float(8),
            15 => Shape::Complex(8),
            16 => Shape::Complex(16),
            18 | 19 | 21 | 26 => Shape::Reference,
            20 => Shape::Interface { has_methods: self.word(address, LIST_LEN) != Some(0) },
            // What a field points to is not shown, and finding it may cost a walk through all relocations.
            22 if depth < MAX_DEPTH => Shape::Pointer(None),
            22 => Shape::Pointer(self.pointee(address, depth).map(Box::new)),
            23 => Shape::Slice,
            24 => Shape::String,
            25 => self.fields(address, depth).unwrap_or(Shape::Struct { fields: Vec::new(), more: true }),
            _ => Shape::Other,
        }
    }

    fn word(&self, address: u64, at: usize) -> Option<u64> {
        u64_at(&self.image.data_words(address, TYPE_AND_PART, &[])?, at)
    }

    fn pointee(&mut self, address: u64, depth: usize) -> Option<GoType> {
        let words = self.image.data_words(address, TYPE_AND_PART, &[ELEMENT])?;
        self.read(u64_at(&words, ELEMENT)?, depth.checked_sub(1)?)
    }

    fn fields(&mut self, address: u64, depth: usize) -> Option<Shape> {
        let words = self.image.data_words(address, TYPE_AND_PART, &[LIST])?;
        let (list, count) = (u64_at(&words, LIST)?, usize::try_from(u64_at(&words, LIST_LEN)?).ok()?);
        let depth = depth.checked_sub(1)?;
        let shown = count.min(MAX_FIELDS);
        let pointers: Vec<usize> = (0..shown).flat_map(|index| [index * FIELD, index * FIELD + 8]).collect();
        let records = match shown {
            0 => Vec::new(),
            _ => self.image.data_words(list, shown * FIELD, &pointers)?,
        };
        let fields: Vec<Field> = records.chunks_exact(FIELD).map_while(|record| self.field(record, depth)).collect();
        Some(Shape::Struct { more: fields.len() < count, fields })
    }

    fn field(&mut self, record: &[u8], depth: usize) -> Option<Field> {
        let name = self.name(u64_at(record, 0)?)?;
        let kind = self.read(u64_at(record, 8)?, depth)?;
        Some(Field { name, kind, offset: u64_at(record, 16)? })
    }

    fn type_name(&self, offset: i32, extra_star: bool) -> Option<String> {
        let types = &self.image.functions.data.types;
        let mut name = self.name(types.start.checked_add(u64::try_from(offset).ok()?)?)?;
        if extra_star && name.starts_with('*') {
            name.remove(0);
        }
        Some(name)
    }

    /// An `abi.Name`: a byte of flags, the length as a varint, the text.
    fn name(&self, address: u64) -> Option<String> {
        let bytes = self.image.elf.bytes_from(address)?;
        let mut stream = bytes.stream(0).skip(1);
        let len = usize::try_from(varint(&mut || stream.next())?).ok().filter(|len| *len <= MAX_NAME)?;
        let text: Vec<u8> = stream.take(len).collect();
        (text.len() == len).then(|| String::from_utf8_lossy(&text).into_owned())
    }
}
