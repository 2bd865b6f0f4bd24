//! Enums that are one word of a few, whatever its case, as the Collector reads its levels.

/// Implements reading, writing and the schema of an enum: the words it is written as, then words that mean the same.
macro_rules! words {
    ($type:ident: $($word:literal => $variant:ident),+; $($other:literal => $same:ident),*) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                match text.to_ascii_lowercase().as_str() {
                    $($word => Ok(Self::$variant),)+
                    $($other => Ok(Self::$same),)*
                    _ => Err(serde::de::Error::unknown_variant(&text, &[$($word),+])),
                }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(match self { $(Self::$variant => $word),+ })
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }
    };
}
pub(super) use words;
