//! The rules for the files of version 1: kernel documentation `admin-guide/cgroup-v1/devices.rst`.
//!
//! The kernel holds one verdict for everything and exceptions from it, so it cannot hold every list of rules: an
//! exception from an exception does not exist. Such a list is refused instead of letting more or less through.

use super::policy::{MKNOD, Policy, READ, Rule, WRITE};
use crate::config::DeviceClass;
use crate::error::{Error, Result};

/// What is written: `true` is for `devices.allow`, `false` for `devices.deny`.
pub(super) type Line = (bool, String);

/// One verdict and the exceptions from it.
struct List {
    allow: bool,
    exceptions: Vec<Rule>,
}

/// The lines that carry out a policy, in their order.
///
/// # Errors
/// When the kernel cannot express it.
pub(super) fn lines(policy: &Policy) -> Result<Vec<Line>> {
    let mut list = List { allow: true, exceptions: Vec::new() };
    for rule in policy.effective().iter().flat_map(by_class) {
        list.add(rule)?;
    }
    list.widen();
    // A fresh cgroup allows what the one above allows, so only a denial of everything is written.
    let base = (!list.allow).then(|| (false, "a".to_owned()));
    let exceptions = list.exceptions.iter().filter(|rule| rule.access != 0);
    Ok(base.into_iter().chain(exceptions.map(|rule| (rule.allow, line(rule)))).collect())
}

/// `a` stands for everything in the kernel's files, whatever follows it: a narrower rule is one for each class.
fn by_class(rule: &Rule) -> Vec<Rule> {
    if rule.is_blanket() || rule.class != DeviceClass::All {
        return vec![*rule];
    }
    [DeviceClass::Block, DeviceClass::Character].map(|class| Rule { class, ..*rule }).to_vec()
}

impl List {
    fn add(&mut self, rule: Rule) -> Result<()> {
        if rule.is_blanket() {
            *self = Self { allow: rule.allow, exceptions: Vec::new() };
            return Ok(());
        }
        if rule.allow == self.allow {
            return self.take_back(rule);
        }
        let known = self.exceptions.iter_mut().find(|known| same_devices(known, &rule));
        match known {
            Some(known) => known.access |= rule.access,
            None => self.exceptions.push(rule),
        }
        Ok(())
    }

    /// A rule with the verdict for everything takes exceptions back: whole ones only.
    fn take_back(&mut self, rule: Rule) -> Result<()> {
        for exception in self.exceptions.iter_mut().filter(|known| overlap(known, &rule)) {
            if exception.access & rule.access != 0 && !covers(&rule, exception) {
                let (rule, exception) = (line(&rule), line(exception));
                return Err(Error::new(format!(
                    "linux.resources.devices: cgroup version 1 cannot except `{rule}` from `{exception}`; \
                     list the devices one by one"
                )));
            }
            exception.access &= !rule.access;
        }
        Ok(())
    }

    /// The kernel wants one exception to allow all bits of an access, so each gets those of the wider ones too.
    fn widen(&mut self) {
        let known = self.exceptions.clone();
        for exception in self.exceptions.iter_mut().filter(|rule| rule.allow) {
            let wider = known.iter().filter(|wider| covers(wider, exception));
            exception.access |= wider.fold(0, |bits, wider| bits | wider.access);
        }
    }
}

fn same_devices(one: &Rule, other: &Rule) -> bool {
    (one.class, one.major, one.minor) == (other.class, other.major, other.minor)
}

fn overlap(one: &Rule, other: &Rule) -> bool {
    let meet = |one: Option<u32>, other: Option<u32>| one.zip(other).is_none_or(|(one, other)| one == other);
    one.class == other.class && meet(one.major, other.major) && meet(one.minor, other.minor)
}

/// Whether every device of `narrow` is one of `wide`.
fn covers(wide: &Rule, narrow: &Rule) -> bool {
    let within = |wide: Option<u32>, narrow: Option<u32>| wide.is_none() || wide == narrow;
    wide.class == narrow.class && within(wide.major, narrow.major) && within(wide.minor, narrow.minor)
}

fn line(rule: &Rule) -> String {
    let class = match rule.class {
        DeviceClass::All => "a",
        DeviceClass::Block => "b",
        DeviceClass::Character => "c",
    };
    let number = |number: Option<u32>| number.map_or("*".to_owned(), |number| number.to_string());
    let letters = [(READ, "r"), (WRITE, "w"), (MKNOD, "m")];
    let access: String = letters.iter().filter(|(bit, _)| rule.access & bit != 0).map(|(_, letter)| *letter).collect();
    format!("{class} {}:{} {access}", number(rule.major), number(rule.minor))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::policy::reading::{Access, accesses, allows, policies, policy};
    use super::*;

    /// The kernel's check, as `security/device_cgroup.c` makes it: with a denial for everything one exception must
    /// allow all of an access, else any exception that denies a part of it does.
    fn kernel(lines: &[Line], access: Access) -> bool {
        let denied = lines.first().is_some_and(|(allow, text)| !allow && text == "a");
        let class = if access.class == DeviceClass::Block { "b" } else { "c" };
        let matching = lines.iter().filter(|(_, text)| text != "a").filter_map(|(_, text)| {
            let fields: Vec<_> = text.split([' ', ':']).collect();
            let number = |field: &str, number: u32| field == "*" || field == number.to_string();
            let device = fields[0] == class && number(fields[1], access.major) && number(fields[2], access.minor);
            let letters = [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')];
            let bits =
                letters.iter().filter(|(_, letter)| fields[3].contains(*letter)).fold(0, |all, (bit, _)| all | bit);
            device.then_some(bits)
        });
        if denied {
            matching.into_iter().any(|bits| access.bits & !bits == 0)
        } else {
            !matching.into_iter().any(|bits| access.bits & bits != 0)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_is_accepted_decides_like_a_plain_reading(policy in policies(), access in accesses()) {
            if let Ok(lines) = lines(&policy) {
                prop_assert_eq!(kernel(&lines, access), allows(&policy, access), "{:?}", lines);
            }
        }
    }

    #[test]
    fn an_exception_from_an_exception_is_refused() {
        let rules = r#"[{"allow":false},{"allow":true,"type":"c","major":10},
            {"allow":false,"type":"c","major":10,"minor":229}]"#;
        let policy = policy(rules);
        let told = lines(&policy).unwrap_err().to_string();
        assert!(told.contains("`c 10:229 rwm` from `c 10:* rwm`"), "{told}");
    }

    #[test]
    fn a_usual_list_is_one_denial_and_its_exceptions() {
        let rules =
            r#"[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}]"#;
        let policy = policy(rules);
        let lines = lines(&policy).unwrap();
        assert_eq!(lines[0], (false, "a".into()));
        assert_eq!(lines[1], (true, "c 1:3 rwm".into()));
        assert_eq!(lines.last(), Some(&(true, "c 10:229 rw".into())));
    }
}
