//! Calls of another architecture of the same processor: the filter is for those too.

use nix::libc;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_fixtures::probe::{Answer, Ask, Reply};
use plimsoll_fixtures::{Edit, Recipe};
use serde_json::{Value, json};

use super::filter::{SECCOMP, UNUSUAL, with_rule};

const CITES: &[&str] = &["linux.seccomp.architectures-applied"];
const ARCHITECTURES: &str = "/linux/seccomp/architectures";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "seccomp.architectures.foreign-call/of-a-listed-one",
        CITES,
        &[Fault::Drop(SECCOMP), Fault::Take(ARCHITECTURES, "[\"SCMP_ARCH_X86_64\"]")],
        |lab, out| {
            let answer = called(lab, &["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])?;
            out.expect_eq("how the program ends", answer, Ok(Reply::Count(UNUSUAL.into())));
            Ok(())
        },
    ),
    Scenario::new(
        "seccomp.architectures.foreign-call/of-one-that-is-not-listed",
        CITES,
        &[Fault::Drop(SECCOMP)],
        |lab, out| {
            // It may be an error, or the end of the program: only that it gets through is wrong.
            let answer = called(lab, &["SCMP_ARCH_X86_64"])?;
            out.expect("how the program ends", answer != Ok(through()), "not as without a filter", answer);
            Ok(())
        },
    ),
];

/// The call is made, on no descriptor.
fn through() -> Reply {
    Reply::Count(libc::EBADF.into())
}

fn filter(architectures: &[&str]) -> Value {
    let mut seccomp = with_rule(&json!({ "names": ["readahead"], "action": "SCMP_ACT_ERRNO", "errnoRet": UNUSUAL }));
    seccomp["architectures"] = json!(architectures);
    seccomp
}

/// How a foreign program ends whose call is one that the filter is for.
fn called(lab: &Lab<'_>, architectures: &[&str]) -> StepResult<Answer> {
    if run(lab, |r| r)? != Ok(through()) {
        return Err(Stop::Skip("programs of 32-bit x86 do not run here: boot a kernel with IA32_EMULATION".into()));
    }
    run(lab, |r| r.set(SECCOMP, filter(architectures)))
}

fn run(lab: &Lab<'_>, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult<Answer> {
    let container = lab.running(|r| edits(r.edit(Edit::Foreign("rootfs/foreign".into()))))?;
    let answer = container.ask(Ask::Run(vec!["/foreign".into()]))?;
    container.finish_and_delete()?;
    Ok(answer)
}
