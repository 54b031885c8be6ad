//! What a finding shows of a container and of a network.

use super::container::State;
use super::network::Device;
use crate::runtime::describe::Describe;

impl Describe for State {
    fn describe(&self) -> String {
        self.0.describe()
    }
}

impl Describe for Device {
    fn describe(&self) -> String {
        let Self { name, up, mtu, alias, addresses, .. } = self;
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let state = if *up { "up" } else { "down" };
        let mut text = format!("{name} {state}, mtu {mtu}, addresses {}", addresses.describe());
        if !alias.is_empty() {
            text.push_str(", alias ");
            text.push_str(alias);
        }
        text
    }
}
