//! The seven comparisons of arguments, at the boundaries of what they compare with and beyond 32 and 53 bits.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use serde_json::{Value, json};

use super::filter::{self, SECCOMP, UNUSUAL, with_rule};

/// A rule for `readahead` that compares its arguments.
fn compared(args: &Value) -> Value {
    with_rule(&json!({ "names": ["readahead"], "action": "SCMP_ACT_ERRNO", "errnoRet": UNUSUAL, "args": args }))
}

const VALUE: &str = "/linux/seccomp/syscalls/0/args/0/value";

/// One case a row: operator, value, for masks what is to be left, and a value that it must not be taken for.
macro_rules! operators {
    ($($name:literal, $clause:literal, $op:literal, $value:expr, $two:expr, $other:literal;)*) => {
        &[$(Case::new(
            &Rule::new(
                concat!("seccomp.", $clause),
                &[concat!("linux.seccomp.", $clause), "linux.seccomp.args-restrict-rule", "linux.seccomp.args-value-two"],
                filter::asks,
                filter::judge,
            ),
            $name,
            |r| r.set(SECCOMP, compared(&json!([{ "index": 1, "op": $op, "value": $value, "valueTwo": $two }]))),
            &[Fault::Drop(SECCOMP), Fault::Take(VALUE, $other), Fault::Drop("/linux/seccomp/syscalls/0/args")],
        )),*]
    };
}

const ABOVE_53_BITS: u64 = (1 << 53) + 1;
const LOW: u64 = 0x1_0000;

pub(super) const CASES: &[Case] = operators! {
    "plain", "op-ne", "SCMP_CMP_NE", LOW, 0, "65537";
    "above-32-bits", "op-ne", "SCMP_CMP_NE", 0x2_0000_0005_u64, 0, "5";
    "plain", "op-lt", "SCMP_CMP_LT", LOW, 0, "65537";
    "above-53-bits", "op-lt", "SCMP_CMP_LT", ABOVE_53_BITS, 0, "9007199254740992";
    "above-63-bits", "op-lt", "SCMP_CMP_LT", (1_u64 << 63) + 1, 0, "9223372036854775807";
    "plain", "op-le", "SCMP_CMP_LE", LOW, 0, "65535";
    "above-53-bits", "op-le", "SCMP_CMP_LE", ABOVE_53_BITS, 0, "9007199254740992";
    "above-32-bits", "op-le", "SCMP_CMP_LE", 0xffff_ffff_u64, 0, "4294967296";
    "plain", "op-eq", "SCMP_CMP_EQ", LOW, 0, "65537";
    "zero", "op-eq", "SCMP_CMP_EQ", 0, 0, "1";
    "above-53-bits", "op-eq", "SCMP_CMP_EQ", ABOVE_53_BITS, 0, "9007199254740992";
    "largest", "op-eq", "SCMP_CMP_EQ", u64::MAX, 0, "9223372036854775807";
    "high-half", "op-eq", "SCMP_CMP_EQ", 0x5_0000_0000_u64, 0, "0";
    "plain", "op-ge", "SCMP_CMP_GE", LOW, 0, "65535";
    "above-53-bits", "op-ge", "SCMP_CMP_GE", ABOVE_53_BITS, 0, "9007199254740992";
    "above-63-bits", "op-ge", "SCMP_CMP_GE", (1_u64 << 63) + 1, 0, "9223372036854775808";
    "plain", "op-gt", "SCMP_CMP_GT", LOW, 0, "65537";
    "above-53-bits", "op-gt", "SCMP_CMP_GT", ABOVE_53_BITS, 0, "9007199254740992";
    "largest-32-bits", "op-gt", "SCMP_CMP_GT", 0xffff_ffff_u64, 0, "4294967296";
    "low-bits", "op-masked-eq", "SCMP_CMP_MASKED_EQ", 0xff, 5, "255000";
    "high-bits", "op-masked-eq", "SCMP_CMP_MASKED_EQ", 0xff_0000_0000_u64, 0x5_0000_0000_u64, "0";
    "above-53-bits", "op-masked-eq", "SCMP_CMP_MASKED_EQ", u64::MAX, ABOVE_53_BITS, "255";
};

const ALL_HOLD: Rule =
    Rule::new("seccomp.several-args", &["linux.seccomp.args-restrict-rule"], filter::asks, filter::judge);
const INDEX: Rule = Rule::new("seccomp.args-index", &["linux.seccomp.args-index"], filter::asks, filter::judge);

pub(super) const SEVERAL: &[Case] = &[
    Case::new(
        &ALL_HOLD,
        "of-two-arguments",
        |r| {
            let both = json!([
                { "index": 1, "op": "SCMP_CMP_EQ", "value": 7 },
                { "index": 2, "op": "SCMP_CMP_GE", "value": 9 },
            ]);
            r.set(SECCOMP, compared(&both))
        },
        &[Fault::Drop("/linux/seccomp/syscalls/0/args/0"), Fault::DropLast("/linux/seccomp/syscalls/0/args")],
    ),
    Case::new(
        &INDEX,
        "first",
        |r| r.set(SECCOMP, compared(&json!([{ "index": 0, "op": "SCMP_CMP_EQ", "value": 0x7001 }]))),
        &[Fault::Take("/linux/seccomp/syscalls/0/args/0/index", "1"), Fault::Drop(SECCOMP)],
    ),
    Case::new(
        &INDEX,
        "third",
        |r| r.set(SECCOMP, compared(&json!([{ "index": 2, "op": "SCMP_CMP_EQ", "value": 7 }]))),
        &[Fault::Take("/linux/seccomp/syscalls/0/args/0/index", "1"), Fault::Drop(SECCOMP)],
    ),
];
