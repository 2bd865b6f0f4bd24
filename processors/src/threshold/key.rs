//! What identifies a series.
//!
//! A key is 128 bits of a keyed hash (`SipHash` 1-3, by the crate that the standard library's came from): the attributes themselves
//! would be ten times the size, and a sender who does not know the key cannot make two series look like one. Attributes are summed
//! up, so that their order, which senders do not keep, does not matter.

use std::hash::{BuildHasher, Hasher as _, RandomState};

use deferd_component::alert;
use deferd_pdata::attributes::Attributes;
use siphasher::sip128::{Hasher128, SipHasher13};

/// Makes keys that mean something in this process only.
#[derive(Debug)]
pub(super) struct Keys {
    first: u64,
    second: u64,
}

impl Default for Keys {
    fn default() -> Self {
        let random = RandomState::new();
        Self { first: random.hash_one(1), second: random.hash_one(2) }
    }
}

impl Keys {
    /// The key of who reports: what identifies a service if that is there, so that a resource may learn more about itself while an
    /// alert lasts, else all that is known.
    pub(super) fn resource(&self, attributes: &Attributes<'_>) -> u128 {
        if attributes.get(alert::INSTANCE).is_none() {
            return self.attributes(attributes);
        }
        let text = |key: &str| attributes.get(key).map(|value| value.to_text().into_owned()).unwrap_or_default();
        let [namespace, name, instance] = alert::REPORTER.map(text);
        self.all(&[namespace.as_bytes(), name.as_bytes(), instance.as_bytes()])
    }

    /// The key of a set of attributes, whatever their order.
    fn attributes(&self, attributes: &Attributes<'_>) -> u128 {
        attributes.pairs().map(|pair| self.bytes(0, pair)).fold(0, u128::wrapping_add)
    }

    /// The key of a series: a metric of a resource, and the attributes of its points.
    pub(super) fn series(&self, resource: u128, metric: &[u8], attributes: &Attributes<'_>) -> u128 {
        self.all(&[&resource.to_le_bytes(), &self.bytes(1, metric).to_le_bytes(), &self.attributes(attributes).to_le_bytes()])
    }

    /// The key of a sum: what a rule adds up, and the values of the attributes it keeps apart.
    pub(super) fn sum(&self, resource: u128, rule: &str, values: &[(&str, String)]) -> u128 {
        let values = values.iter().map(|(key, value)| self.all(&[key.as_bytes(), value.as_bytes()]));
        let values = values.fold(0, u128::wrapping_add);
        self.all(&[b"sum", &resource.to_le_bytes(), rule.as_bytes(), &values.to_le_bytes()])
    }

    fn bytes(&self, kind: u8, bytes: &[u8]) -> u128 {
        let mut hasher = self.hasher();
        hasher.write_u8(kind);
        hasher.write(bytes);
        hasher.finish128().as_u128()
    }

    fn all(&self, parts: &[&[u8]]) -> u128 {
        let mut hasher = self.hasher();
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish128().as_u128()
    }

    fn hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.first, self.second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deferd_pdata::build::EncodedAttributes;

    #[test]
    fn who_reports_stays_the_same_while_it_learns_more() {
        let keys = Keys::default();
        let key = |pairs: &[(&str, &str)]| {
            let mut set = EncodedAttributes::default();
            for (key, value) in pairs {
                set.push(key, *value);
            }
            keys.resource(&set.view())
        };
        let instance = ("service.instance.id", "1");
        assert_eq!(key(&[("service.name", "a"), instance]), key(&[instance, ("service.name", "a"), ("os.type", "linux")]));
        assert_ne!(key(&[("service.name", "a"), instance]), key(&[("service.name", "b"), instance]));
        assert_ne!(key(&[("service.name", "a")]), key(&[("service.name", "a"), ("os.type", "linux")]));
    }

    #[test]
    fn the_order_of_attributes_does_not_matter_and_their_values_do() {
        let keys = Keys::default();
        let key = |pairs: &[(&str, &str)]| {
            let mut set = EncodedAttributes::default();
            for (key, value) in pairs {
                set.push(key, *value);
            }
            keys.series(7, b"m", &set.view())
        };
        assert_eq!(key(&[("a", "1"), ("b", "2")]), key(&[("b", "2"), ("a", "1")]));
        assert_ne!(key(&[("a", "1"), ("b", "2")]), key(&[("a", "2"), ("b", "1")]));
        assert_ne!(key(&[]), keys.series(8, b"m", &EncodedAttributes::default().view()));
        assert_ne!(keys.sum(1, "a", &[]), keys.sum(1, "b", &[]));
    }
}
