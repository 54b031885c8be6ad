//! What happens when things go wrong: the runtime is killed at each of its system calls, operations on one id race,
//! many containers come and go. Needs root; says so and passes otherwise.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod bundle;
mod causes;
mod dirty;
mod filtered;
mod hostile;
mod killed;
mod many;
mod nested;
mod races;
mod signals;
mod streams;
mod watched;
