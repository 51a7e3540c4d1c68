//! Every account keeps one message; anybody reads all of them.
//!
//! Small on purpose: one map in storage, a change method, a view, an event in the log, a payable method, a cross-contract
//! call with a callback, and a panic. Enough to see everything that a receipt can do to a contract.

use near_sdk::json_types::U128;
use near_sdk::store::LookupMap;
use near_sdk::{
    env, ext_contract, near, require, AccountId, Gas, NearToken, PanicOnDefault, Promise, PromiseError,
};

const CALLBACK_GAS: Gas = Gas::from_tgas(5);
const READ_GAS: Gas = Gas::from_tgas(10);
const LONGEST_MESSAGE: usize = 280;

#[near(contract_state)]
#[derive(PanicOnDefault)]
pub struct StatusMessage {
    messages: LookupMap<AccountId, String>,
    count: u64,
}

#[ext_contract(ext_status)]
pub trait Status {
    fn get_status(&self, account_id: AccountId) -> Option<String>;
}

#[near]
impl StatusMessage {
    #[init]
    pub fn new() -> Self {
        Self { messages: LookupMap::new(b"m"), count: 0 }
    }

    /// Keep `message` for the caller; the one before is returned.
    pub fn set_status(&mut self, message: String) -> Option<String> {
        require!(message.len() <= LONGEST_MESSAGE, "message is too long");
        let account_id = env::predecessor_account_id();
        env::log_str(&format!(
            "EVENT_JSON:{{\"standard\":\"status\",\"version\":\"1.0.0\",\"event\":\"set\",\"data\":[{{\"account_id\":\"{account_id}\"}}]}}"
        ));
        let previous = self.messages.insert(account_id, message);
        if previous.is_none() {
            self.count += 1;
        }
        previous
    }

    /// Forget the caller's message.
    pub fn clear_status(&mut self) -> bool {
        let account_id = env::predecessor_account_id();
        let there = self.messages.remove(&account_id).is_some();
        if there {
            self.count -= 1;
        }
        there
    }

    pub fn get_status(&self, account_id: AccountId) -> Option<String> {
        self.messages.get(&account_id).cloned()
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Keep a message against a fee of at least one milliNEAR; what is above goes back.
    #[payable]
    pub fn set_paid_status(&mut self, message: String) -> U128 {
        let fee = NearToken::from_millinear(1);
        let paid = env::attached_deposit();
        require!(paid >= fee, "one milliNEAR is the fee");
        let change = paid.saturating_sub(fee);
        let account_id = env::predecessor_account_id();
        if !change.is_zero() {
            Promise::new(account_id.clone()).transfer(change).detach();
        }
        self.messages.insert(account_id, message);
        U128(change.as_yoctonear())
    }

    /// Read a message from another such contract and keep it for the caller.
    pub fn copy_status(&mut self, from_contract: AccountId, account_id: AccountId) -> Promise {
        ext_status::ext(from_contract).with_static_gas(READ_GAS).get_status(account_id).then(
            Self::ext(env::current_account_id())
                .with_static_gas(CALLBACK_GAS)
                .on_status(env::predecessor_account_id()),
        )
    }

    #[private]
    pub fn on_status(
        &mut self,
        account_id: AccountId,
        #[callback_result] status: Result<Option<String>, PromiseError>,
    ) -> String {
        let text = match status {
            Ok(Some(text)) => text,
            Ok(None) => "nothing to copy".to_string(),
            Err(_) => "the other contract failed".to_string(),
        };
        self.messages.insert(account_id, text.clone());
        text
    }

    /// Fail, with a message that wants to be more than text.
    pub fn fail(&self) {
        env::panic_str("this always fails \u{1b}[31m");
    }
}
