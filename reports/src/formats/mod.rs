//! The renderers, one file each.

pub mod badge;
pub mod csv;
pub mod github;
pub mod html;
pub mod junit;
pub mod markdown;
pub mod oci;
pub mod sarif;
pub mod table;
pub mod tap;
