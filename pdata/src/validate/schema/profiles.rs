//! The messages of profiles, which are in development and still change.
//!
//! Source: `opentelemetry/proto/profiles/v1development` as opentelemetry-proto 0.33 has it.

use super::{
    ANY_VALUE,
    Kind::{Bytes, Fixed64, Fixed64s, Id, Many, One, Text, Varint, Varints},
    RESOURCE, SCOPE, SPAN_ID, Schema, TRACE_ID,
};

/// `ExportProfilesServiceRequest`.
pub(crate) static PROFILES: Schema = Schema::new(&[(1, Many(&RESOURCE_PROFILES)), (2, One(&DICTIONARY))]);
static RESOURCE_PROFILES: Schema = Schema::new(&[(1, One(&RESOURCE)), (2, Many(&SCOPE_PROFILES)), (3, Text)]);
static SCOPE_PROFILES: Schema = Schema::new(&[(1, One(&SCOPE)), (2, Many(&PROFILE)), (3, Text)]);
static PROFILE: Schema = Schema::new(&[
    (1, One(&VALUE_TYPE)),
    (2, Many(&SAMPLE)),
    (3, Fixed64),
    (4, Varint),
    (5, One(&VALUE_TYPE)),
    (6, Varint),
    (7, Id(16)),
    (8, Varint),
    (9, Text),
    (10, Bytes),
    (11, Varints),
]);
static VALUE_TYPE: Schema = Schema::new(&[(1, Varint), (2, Varint)]);
static SAMPLE: Schema = Schema::new(&[(1, Varint), (2, Varints), (3, Varint), (4, Varints), (5, Fixed64s)]);

static DICTIONARY: Schema = Schema::new(&[
    (1, Many(&MAPPING)),
    (2, Many(&LOCATION)),
    (3, Many(&FUNCTION)),
    (4, Many(&LINK)),
    (5, Text),
    (6, Many(&KEY_VALUE_AND_UNIT)),
    (7, Many(&STACK)),
]);
static MAPPING: Schema = Schema::new(&[(1, Varint), (2, Varint), (3, Varint), (4, Varint), (5, Varints)]);
static LOCATION: Schema = Schema::new(&[(1, Varint), (2, Varint), (3, Many(&LINE)), (4, Varints)]);
static LINE: Schema = Schema::new(&[(1, Varint), (2, Varint), (3, Varint)]);
static FUNCTION: Schema = Schema::new(&[(1, Varint), (2, Varint), (3, Varint), (4, Varint)]);
static LINK: Schema = Schema::new(&[(1, TRACE_ID), (2, SPAN_ID)]);
static KEY_VALUE_AND_UNIT: Schema = Schema::new(&[(1, Varint), (2, One(&ANY_VALUE)), (3, Varint)]);
static STACK: Schema = Schema::new(&[(1, Varints)]);
