//! What is measured, with which configurations, and in which order.

pub mod experiment;
pub mod scenario;
pub mod subject;
