//! The rules in their order, with those of the default devices in between.

use crate::config::{DeviceClass, DeviceRule};

/// Bits of an access, as the kernel numbers them in `BPF_DEVCG_ACC_…`.
pub(super) const MKNOD: u32 = 1;
pub(super) const READ: u32 = 2;
pub(super) const WRITE: u32 = 4;
pub(super) const ALL: u32 = MKNOD | READ | WRITE;

/// One rule, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) allow: bool,
    pub(super) class: DeviceClass,
    pub(super) major: Option<u32>,
    pub(super) minor: Option<u32>,
    pub(super) access: u32,
}

impl Rule {
    /// Whether the rule decides about every access to every device.
    pub(super) fn is_blanket(&self) -> bool {
        self.class == DeviceClass::All && self.major.is_none() && self.minor.is_none() && self.access == ALL
    }
}

/// Devices that every container has: `config-linux.md#default-devices`, the console and the pseudo-terminals.
const DEFAULTS: [(u32, Option<u32>); 9] = [
    (1, Some(3)),
    (1, Some(5)),
    (1, Some(7)),
    (1, Some(8)),
    (1, Some(9)),
    (5, Some(0)),
    (5, Some(1)),
    (5, Some(2)),
    (136, None),
];

/// The rules that hold for a container. For each bit of an access the last rule that covers it decides; what no rule
/// covers is allowed, as it is in a fresh cgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub(super) rules: Vec<Rule>,
}

impl Policy {
    /// Rules in numbers. The default devices, which a container must have, are let through again right after the last
    /// rule that denies everything; a later rule that names one of them still has the last word.
    pub fn new(rules: &[DeviceRule]) -> Self {
        let mut rules: Vec<_> = rules.iter().map(numbered).collect();
        if let Some(last) = rules.iter().rposition(|rule| rule.is_blanket() && !rule.allow) {
            let default = |(major, minor)| {
                let class = DeviceClass::Character;
                Rule { allow: true, class, major: Some(major), minor, access: ALL }
            };
            rules.splice(last + 1..last + 1, DEFAULTS.map(default));
        }
        Self { rules }
    }

    /// The rules from the last blanket one on: what stands before it has no effect.
    pub(super) fn effective(&self) -> &[Rule] {
        let last = self.rules.iter().rposition(Rule::is_blanket).unwrap_or(0);
        &self.rules[last..]
    }
}

fn numbered(rule: &DeviceRule) -> Rule {
    // Validation has let through -1, which means every number, and what fits.
    let number = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
    let letters = rule.access.as_deref().unwrap_or("rwm");
    let bit = |letter: char, bit: u32| if letters.contains(letter) { bit } else { 0 };
    let access = bit('r', READ) | bit('w', WRITE) | bit('m', MKNOD);
    Rule { allow: rule.allow, class: rule.class, major: number(rule.major), minor: number(rule.minor), access }
}

/// The plain reading of a policy that both ways of carrying it out are tested against.
#[cfg(test)]
pub(super) mod reading {
    use proptest::prelude::*;

    use super::*;

    /// A use of a device.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Access {
        pub(crate) class: DeviceClass,
        pub(crate) major: u32,
        pub(crate) minor: u32,
        pub(crate) bits: u32,
    }

    pub(crate) fn policy(json: &str) -> Policy {
        Policy::new(&serde_json::from_str::<Vec<DeviceRule>>(json).unwrap())
    }

    pub(crate) fn allows(policy: &Policy, access: Access) -> bool {
        let covers = |rule: &Rule, bit: u32| {
            (rule.class == DeviceClass::All || rule.class == access.class)
                && rule.major.is_none_or(|major| major == access.major)
                && rule.minor.is_none_or(|minor| minor == access.minor)
                && rule.access & bit != 0
        };
        let bits = [MKNOD, READ, WRITE].into_iter().filter(|bit| access.bits & bit != 0);
        let decide = |bit| policy.rules.iter().rev().find(|rule| covers(rule, bit)).is_none_or(|rule| rule.allow);
        bits.into_iter().all(decide)
    }

    pub(crate) fn accesses() -> impl Strategy<Value = Access> {
        let class = prop_oneof![Just(DeviceClass::Block), Just(DeviceClass::Character)];
        (class, 0..3_u32, 0..3_u32, 1..8_u32).prop_map(|(class, major, minor, bits)| Access {
            class,
            major,
            minor,
            bits,
        })
    }

    pub(crate) fn policies() -> impl Strategy<Value = Policy> {
        let class = prop_oneof![Just(DeviceClass::All), Just(DeviceClass::Block), Just(DeviceClass::Character)];
        let number = || prop::option::of(0..3_u32);
        let rule = (any::<bool>(), class, number(), number(), 1..8_u32);
        let rule = rule.prop_map(|(allow, class, major, minor, access)| Rule { allow, class, major, minor, access });
        prop::collection::vec(rule, 0..7).prop_map(|rules| Policy { rules })
    }
}

#[cfg(test)]
mod tests {
    use super::reading::{Access, allows, policy};
    use super::*;

    fn character(major: u32, minor: u32, bits: u32) -> Access {
        Access { class: DeviceClass::Character, major, minor, bits }
    }

    #[test]
    fn default_devices_outlive_a_denial_of_all() {
        let denied = policy(r#"[{"allow":true,"type":"c","major":10},{"allow":false,"access":"rwm"}]"#);
        assert!(allows(&denied, character(1, 3, ALL)));
        assert!(allows(&denied, character(136, 77, READ)));
        assert!(!allows(&denied, character(10, 229, READ)));
    }

    #[test]
    fn a_rule_that_names_a_default_device_has_the_last_word() {
        let denied = policy(r#"[{"allow":false},{"allow":false,"type":"c","major":1,"minor":3,"access":"w"}]"#);
        assert!(allows(&denied, character(1, 3, READ)));
        assert!(!allows(&denied, character(1, 3, READ | WRITE)));
    }

    #[test]
    fn the_order_counts() {
        let through = policy(r#"[{"allow":false},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}]"#);
        assert!(allows(&through, character(10, 229, READ | WRITE)));
        assert!(!allows(&through, character(10, 229, MKNOD)));
    }
}
