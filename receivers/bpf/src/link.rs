//! Breakpoints that stand.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::keeper::{Client, Removal};

/// Breakpoints in a process; they go when it is dropped, which takes some ten milliseconds.
#[derive(Debug)]
pub struct Link(Option<Held>);

#[derive(Debug)]
enum Held {
    /// By this process.
    Here { _descriptor: OwnedFd },
    /// By the keeper, under this name.
    Kept(Arc<Client>, u64),
}

impl Link {
    pub(crate) fn here(descriptor: OwnedFd) -> Self {
        Self(Some(Held::Here { _descriptor: descriptor }))
    }

    pub(crate) fn kept(client: Arc<Client>, link: u64) -> Self {
        Self(Some(Held::Kept(client, link)))
    }

    /// Removes them, and does not wait for it if a keeper holds them.
    pub fn remove(mut self) -> Removal {
        match self.0.take() {
            Some(Held::Kept(client, link)) => client.begin_removal(link),
            here => {
                drop(here);
                Removal::done()
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(Held::Kept(client, link)) = self.0.take() {
            client.remove(link);
        }
    }
}
