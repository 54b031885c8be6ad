//! The proof: programs decide like a plain reading of their profiles, for any architecture, call and arguments.

use proptest::prelude::*;

use super::action::{ALLOW, KILL_PROCESS, value};
use super::arch::{X32_BIT, abi, is_big_endian, serves};
use super::compile::compile;
use super::instruction::{AND, ARGUMENTS, IF_EQUAL, IF_GREATER, IF_GREATER_OR_EQUAL, Instruction, JUMP, LOAD, RETURN};
use super::{multiplexer, table};
use crate::config::{Action, Arch, Argument, Operator, Seccomp, SyscallRule};

/// `struct seccomp_data`, without the instruction pointer.
#[derive(Debug, Clone, Copy)]
struct Call {
    number: u32,
    token: u32,
    arguments: [u64; 6],
}

impl Call {
    fn word(&self, offset: u32, big_endian: bool) -> u32 {
        let ordered = |value: u64| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let native = |bytes: [u8; 4]| if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        match offset {
            0 => self.number,
            4 => self.token,
            _ => {
                let index = usize::try_from((offset - ARGUMENTS) / 8).unwrap();
                let half = usize::try_from((offset - ARGUMENTS) % 8).unwrap();
                native(ordered(self.arguments[index])[half..half + 4].try_into().unwrap())
            }
        }
    }
}

/// Interprets a program as the kernel does, and checks that it stays inside.
fn run(program: &[Instruction], call: Call, big_endian: bool) -> u32 {
    let mut accumulator = 0_u32;
    let mut at = 0_usize;
    loop {
        let Instruction { code, if_true, if_false, operand } = program[at];
        at += 1;
        let jump = |holds: bool| usize::from(if holds { if_true } else { if_false });
        match code {
            LOAD => accumulator = call.word(operand, big_endian),
            AND => accumulator &= operand,
            JUMP => at += usize::try_from(operand).unwrap(),
            IF_EQUAL => at += jump(accumulator == operand),
            IF_GREATER => at += jump(accumulator > operand),
            IF_GREATER_OR_EQUAL => at += jump(accumulator >= operand),
            RETURN => return operand,
            other => panic!("operation {other:#x}"),
        }
    }
}

/// What a reader of the profile expects, written without a thought for speed.
fn read_plainly(profile: &Seccomp, native: Arch, call: Call) -> u32 {
    let mut listed = vec![native];
    listed.extend(profile.architectures.iter().copied().filter(|arch| serves(native, *arch)));
    let is_x32 = call.token == abi(Arch::X32).token && (X32_BIT..u32::MAX).contains(&call.number);
    let of_call = listed.iter().copied().filter(|arch| abi(*arch).token == call.token);
    let Some(arch) = of_call.into_iter().find(|arch| !is_x32 || *arch == Arch::X32) else { return KILL_PROCESS };
    let default = if !is_x32 && is_newer(profile, arch, call.number) {
        value(Action::Errno, Some(libc::ENOSYS.unsigned_abs()))
    } else {
        value(profile.default_action, profile.default_errno_ret)
    };
    let Some(name) = name(arch, call.number & !abi(arch).bit).filter(|_| is_x32 == (arch == Arch::X32)) else {
        return default;
    };
    let rules = profile.syscalls.iter().filter(|rule| rule.names.iter().any(|listed| listed == name));
    let rules: Vec<_> = rules.collect();
    let chosen =
        rules.iter().find(|rule| rule.args.is_empty()).or_else(|| rules.iter().find(|rule| holds(rule, &call)));
    let chosen = chosen.map(|rule| value(rule.action, rule.errno_ret));
    chosen.or_else(|| through_multiplexer(profile, name, call)).unwrap_or(default)
}

/// Whether a call comes after all that the profile knows, and is denied for that.
fn is_newer(profile: &Seccomp, arch: Arch, number: u32) -> bool {
    let is_listed = |name: &str| profile.syscalls.iter().flat_map(|rule| &rule.names).any(|listed| listed == name);
    let mut newest = None;
    table::for_each(arch, |number, name| {
        let is_known = is_listed(name) || multiplexer::behind(name).any(|(_, behind)| is_listed(behind));
        newest = newest.max(is_known.then_some(number));
    });
    let permits = [Action::Allow, Action::Log, Action::Trace].contains(&profile.default_action);
    !permits && number != u32::MAX && newest.is_some_and(|newest| number > newest)
}

/// `socketcall(1, …)` is `socket`, for a profile whose rule for it looks at no argument.
fn through_multiplexer(profile: &Seccomp, name: &str, call: Call) -> Option<u32> {
    let behind = match (name, call.arguments[0] & 0xffff_ffff) {
        ("socketcall", 1) => "socket",
        ("socketcall", 3) => "connect",
        _ => return None,
    };
    let mut rules = profile.syscalls.iter().filter(|rule| rule.names.iter().any(|listed| listed == behind));
    rules.find(|rule| rule.args.is_empty()).map(|rule| value(rule.action, rule.errno_ret))
}

fn name(arch: Arch, number: u32) -> Option<&'static str> {
    let mut found = None;
    table::for_each(arch, |listed, name| found = found.or((listed == number).then_some(name)));
    found
}

fn holds(rule: &SyscallRule, call: &Call) -> bool {
    let compare = |condition: &Argument| {
        let argument = call.arguments[usize::try_from(condition.index).unwrap()];
        match condition.op {
            Operator::NotEqual => argument != condition.value,
            Operator::Less => argument < condition.value,
            Operator::LessOrEqual => argument <= condition.value,
            Operator::Equal => argument == condition.value,
            Operator::GreaterOrEqual => argument >= condition.value,
            Operator::Greater => argument > condition.value,
            Operator::MaskedEqual => argument & condition.value == condition.value_two,
        }
    };
    let mut indexes: Vec<_> = rule.args.iter().map(|condition| condition.index).collect();
    indexes.sort_unstable();
    let repeated = indexes.windows(2).any(|pair| pair[0] == pair[1]);
    if repeated { rule.args.iter().any(compare) } else { rule.args.iter().all(compare) }
}

const NATIVES: [Arch; 6] = [Arch::X86_64, Arch::Aarch64, Arch::S390x, Arch::Mips64, Arch::Ppc64le, Arch::Riscv64];
const NAMES: [&str; 9] =
    ["read", "openat", "clone", "socket", "connect", "socketcall", "rt_sigaction", "set_tls", "no_such_call"];

fn actions() -> impl Strategy<Value = (Action, Option<u32>)> {
    let action = prop::sample::select(Action::NAMES.iter().map(|(_, action)| *action).collect::<Vec<_>>());
    (action, prop::option::of(0..200_u32))
        .prop_map(|(action, errno)| (action, errno.filter(|_| action.carries_errno())))
}

/// Values around the borders of both halves.
fn values() -> impl Strategy<Value = u64> {
    let edges = [0, 1, 0x7fff_ffff, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001, u64::MAX - 1, u64::MAX];
    prop_oneof![4 => prop::sample::select(edges.to_vec()), 1 => any::<u64>()]
}

fn rules() -> impl Strategy<Value = SyscallRule> {
    let op = prop::sample::select(Operator::NAMES.iter().map(|(_, op)| *op).collect::<Vec<_>>());
    let argument = (0..6_u32, values(), values(), op);
    let argument = argument.prop_map(|(index, value, value_two, op)| Argument { index, value, value_two, op });
    let names = prop::collection::vec(prop::sample::select(NAMES.to_vec()), 1..4);
    (names, actions(), prop::collection::vec(argument, 0..4)).prop_map(|(names, (action, errno_ret), args)| {
        SyscallRule { names: names.into_iter().map(str::to_owned).collect(), action, errno_ret, args }
    })
}

fn profiles() -> impl Strategy<Value = Seccomp> {
    let arch = prop::sample::select(Arch::NAMES.iter().map(|(_, arch)| *arch).collect::<Vec<_>>());
    let archs = prop::collection::vec(arch, 0..5);
    (actions(), archs, prop::collection::vec(rules(), 0..6)).prop_map(|(default, architectures, syscalls)| Seccomp {
        default_action: default.0,
        default_errno_ret: default.1,
        architectures,
        flags: Vec::new(),
        listener_path: None,
        listener_metadata: None,
        syscalls,
    })
}

/// A call of some architecture, mostly of one that the rules name.
fn calls() -> impl Strategy<Value = Call> {
    let arch = prop::sample::select(Arch::NAMES.iter().map(|(_, arch)| *arch).collect::<Vec<_>>());
    let number = (arch, prop::sample::select(NAMES.to_vec()), any::<u32>(), 0..4_u32);
    let number = number.prop_map(|(arch, wanted, random, choice)| {
        let mut named = 0;
        table::for_each(arch, |number, name| named = if name == wanted { number } else { named });
        let number = match choice {
            0 => random,
            1 => named | X32_BIT,
            2 => [u32::MAX, X32_BIT, 0, 1000][usize::try_from(random % 4).unwrap()],
            _ => named | abi(arch).bit,
        };
        (number, abi(arch).token)
    });
    (number, prop::array::uniform6(prop_oneof![2 => values(), 1 => 0..5_u64]))
        .prop_map(|((number, token), arguments)| Call { number, token, arguments })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn a_program_decides_like_a_plain_reading(
        profile in profiles(),
        native in prop::sample::select(NATIVES.to_vec()),
        calls in prop::collection::vec(calls(), 16),
    ) {
        let program = compile(&profile, native);
        for call in calls {
            let decided = run(&program, call, is_big_endian(native));
            prop_assert_eq!(decided, read_plainly(&profile, native, call), "{:x?}", call);
        }
    }
}

#[test]
fn every_call_of_a_table_gets_its_own_decision() {
    let mut names = Vec::new();
    table::for_each(Arch::X86_64, |_, name| names.push(name.to_owned()));
    let names = names.into_iter().step_by(2).collect();
    let rule = SyscallRule { names, action: Action::Allow, errno_ret: None, args: Vec::new() };
    let profile = Seccomp {
        default_action: Action::Errno,
        default_errno_ret: Some(99),
        architectures: vec![Arch::X86_64, Arch::X86, Arch::X32],
        flags: Vec::new(),
        listener_path: None,
        listener_metadata: None,
        syscalls: vec![rule],
    };
    let program = compile(&profile, Arch::X86_64);
    let mut allowed = 0;
    for arch in [Arch::X86_64, Arch::X86, Arch::X32] {
        for number in 0..600 {
            let call = Call { number: number | abi(arch).bit, token: abi(arch).token, arguments: [0; 6] };
            let decided = run(&program, call, false);
            assert_eq!(decided, read_plainly(&profile, Arch::X86_64, call), "{arch:?} {number}");
            allowed += usize::from(decided == ALLOW);
        }
    }
    assert!(allowed > 400, "{allowed}");
}
