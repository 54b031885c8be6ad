//! The few calls to systemd that a container needs, over D-Bus.
//!
//! rustbus has no thread of its own: a runtime that may still clone must have one only.

use std::time::Duration;

use rustbus::connection::Timeout;
use rustbus::message_builder::{MarshalledMessage, MessageType};
use rustbus::{MessageBuilder, RpcConn};

use super::properties::Property;
use crate::error::{Context, Error, Result};

const NAME: &str = "org.freedesktop.systemd1";
const PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";

/// An error that means that there is nothing to be done.
const NO_SUCH_UNIT: &str = "org.freedesktop.systemd1.NoSuchUnit";

/// How long systemd may take for a job.
const TIMEOUT: Timeout = Timeout::Duration(Duration::from_secs(30));

/// A connection to the bus of the system or of the user.
pub(super) struct Bus(RpcConn);

impl Bus {
    pub(super) fn connect(user: bool) -> Result<Self> {
        let connected = if user { RpcConn::session_conn(TIMEOUT) } else { RpcConn::system_conn(TIMEOUT) };
        let which = if user { "session" } else { "system" };
        let mut connection = connected.doing(|| format!("connect to the {which} bus, to reach systemd"))?;
        // Nobody reads what else is said on the bus, so it is not kept.
        connection.set_filter(Box::new(|message| {
            message.typ != MessageType::Signal || message.dynheader.member.as_deref() == Some("JobRemoved")
        }));
        Ok(Self(connection))
    }

    /// Starts a transient unit and waits until its processes are in it.
    pub(super) fn start(&mut self, unit: &str, properties: Vec<Property>) -> Result<()> {
        let rule = format!("type='signal',interface='{MANAGER}',member='JobRemoved'");
        let mut subscription = rustbus::standard_messages::add_match(&rule);
        self.call(&mut subscription)?;
        self.call(&mut manager("Subscribe"))?;
        let mut call = manager("StartTransientUnit");
        let auxiliary: Vec<(String, Vec<Property>)> = Vec::new();
        call.body.push_param4(unit, "replace", properties, auxiliary).doing(|| "write a message".into())?;
        let reply = self.call(&mut call).doing(|| format!("start the unit `{unit}`"))?;
        let job: rustbus::wire::ObjectPath<&str> = reply.body.parser().get().doing(|| "read an answer".into())?;
        self.wait_for(job.as_ref()).doing(|| format!("start the unit `{unit}`"))
    }

    fn wait_for(&mut self, job: &str) -> Result<()> {
        loop {
            let signal = self.0.wait_signal(TIMEOUT).doing(|| "wait for systemd".into())?;
            let body = signal.body.parser().get4::<u32, rustbus::wire::ObjectPath<&str>, &str, &str>();
            match body {
                Ok((_, ended, _, "done")) if ended.as_ref() == job => return Ok(()),
                Ok((_, ended, _, result)) if ended.as_ref() == job => {
                    return Err(Error::new(format!("systemd's job ended with `{result}`; see its journal")));
                }
                // Another job, or a signal of another form.
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Changes properties of a unit, if there is one already.
    pub(super) fn set(&mut self, unit: &str, properties: Vec<Property>) -> Result<()> {
        let mut call = manager("SetUnitProperties");
        let for_this_boot = true;
        call.body.push_param3(unit, for_this_boot, properties).doing(|| "write a message".into())?;
        self.call_if_there(&mut call).doing(|| format!("change the unit `{unit}`"))
    }

    /// Stops a unit, and lets systemd forget that it failed, which killed processes look like.
    pub(super) fn stop(&mut self, unit: &str) -> Result<()> {
        let mut stop = manager("StopUnit");
        stop.body.push_param2(unit, "replace").doing(|| "write a message".into())?;
        self.call_if_there(&mut stop).doing(|| format!("stop the unit `{unit}`"))?;
        let mut reset = manager("ResetFailedUnit");
        reset.body.push_param(unit).doing(|| "write a message".into())?;
        self.call_if_there(&mut reset).doing(|| format!("stop the unit `{unit}`"))
    }

    fn call_if_there(&mut self, message: &mut MarshalledMessage) -> Result<()> {
        match self.ask(message)? {
            reply if reply.dynheader.error_name.as_deref() == Some(NO_SUCH_UNIT) => Ok(()),
            reply => succeeded(reply).map(drop),
        }
    }

    fn call(&mut self, message: &mut MarshalledMessage) -> Result<MarshalledMessage> {
        self.ask(message).and_then(succeeded)
    }

    fn ask(&mut self, message: &mut MarshalledMessage) -> Result<MarshalledMessage> {
        let sent = self.0.send_message(message).doing(|| "send a message".into())?;
        let serial = sent.write(TIMEOUT).map_err(|(unsent, error)| {
            unsent.force_finish();
            error
        });
        let serial = serial.doing(|| "send a message".into())?;
        self.0.wait_response(serial, TIMEOUT).doing(|| "wait for systemd".into())
    }
}

fn manager(method: &str) -> MarshalledMessage {
    MessageBuilder::new().call(method).on(PATH).with_interface(MANAGER).at(NAME).build()
}

/// systemd says what is wrong in the first argument of an error.
fn succeeded(reply: MarshalledMessage) -> Result<MarshalledMessage> {
    if reply.typ != MessageType::Error {
        return Ok(reply);
    }
    let name = reply.dynheader.error_name.clone().unwrap_or_default();
    let text = reply.body.parser().get::<&str>().unwrap_or_default().to_owned();
    Err(Error::new(format!("{text} ({name})")))
}
