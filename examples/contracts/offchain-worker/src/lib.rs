//! Asks a worker outside the chain, and waits for its answer.
//!
//! A request holds the caller's deposit and yields: the caller's result is whatever `on_response` returns, later. The
//! worker sees the request in an event or in `pending`, and answers with `respond`, which resumes the yield: the worker
//! gets the deposit, the caller the answer. Without an answer the protocol resumes the yield with a failure, after 200
//! blocks: the deposit goes back, and the caller gets `null`.

use near_sdk::store::IterableMap;
use near_sdk::{
    env, near, require, serde_json, AccountId, Gas, GasWeight, NearToken, PanicOnDefault, Promise, PromiseError,
    YieldId,
};

#[cfg(test)]
mod tests;

/// The least deposit of a request. It pays for the storage of the longest request while that is pending.
const PRICE: NearToken = NearToken::from_millinear(10);
/// Gas of `on_response`, set aside and paid for when the request is made.
const RESPONSE_GAS: Gas = Gas::from_tgas(5);
const LONGEST_INPUT: usize = 512;
/// The most that the protocol lets through to a yield.
const LONGEST_PAYLOAD: usize = 1024;

#[near(contract_state)]
#[derive(PanicOnDefault)]
pub struct OffchainWorker {
    worker: AccountId,
    requests: IterableMap<u64, Request>,
    next_id: u64,
}

#[near(serializers = [borsh])]
pub struct Request {
    requester: AccountId,
    input: String,
    deposit: NearToken,
    /// What resumes the yield; taken by the one response there can be.
    yield_id: Option<YieldId>,
}

/// A request that nobody has answered yet.
#[near(serializers = [json])]
pub struct Pending {
    pub request_id: u64,
    pub requester: AccountId,
    pub input: String,
    pub deposit: NearToken,
}

#[near(event_json(standard = "offchain-worker"))]
pub enum Event<'a> {
    #[event_version("1.0.0")]
    Requested { request_id: u64, requester: &'a AccountId, input: &'a str, deposit: NearToken },
    #[event_version("1.0.0")]
    Answered { request_id: u64, worker: &'a AccountId, paid: NearToken },
    #[event_version("1.0.0")]
    TimedOut { request_id: u64, requester: &'a AccountId, refunded: NearToken },
}

#[near]
impl OffchainWorker {
    #[init]
    pub fn new(worker: AccountId) -> Self {
        Self { worker, requests: IterableMap::new(b"r"), next_id: 0 }
    }

    /// Ask the worker. The result is the answer, or `null` if none came in time.
    #[payable]
    pub fn request(&mut self, input: String) -> Promise {
        let deposit = env::attached_deposit();
        require!(deposit >= PRICE, "a request takes a deposit of 0.01 NEAR at least");
        require!(input.len() <= LONGEST_INPUT, "the input is too long");
        let request_id = self.next_id;
        self.next_id += 1;
        let requester = env::predecessor_account_id();
        Event::Requested { request_id, requester: &requester, input: &input, deposit }.emit();

        let arguments = serde_json::json!({ "request_id": request_id }).to_string();
        let (promise, yield_id) = Promise::new_yield("on_response", arguments, RESPONSE_GAS, GasWeight(0));
        let request = Request { requester, input, deposit, yield_id: Some(yield_id) };
        self.requests.insert(request_id, request);
        promise
    }

    /// Requests without an answer, `limit` of them from `from_index` on; all by default.
    pub fn pending(&self, from_index: Option<u32>, limit: Option<u32>) -> Vec<Pending> {
        self.requests
            .iter()
            .filter(|(_, request)| request.yield_id.is_some())
            .skip(from_index.unwrap_or(0) as usize)
            .take(limit.unwrap_or(u32::MAX) as usize)
            .map(|(request_id, request)| Pending {
                request_id: *request_id,
                requester: request.requester.clone(),
                input: request.input.clone(),
                deposit: request.deposit,
            })
            .collect()
    }

    /// Answer a request: for the worker alone, and once.
    pub fn respond(&mut self, request_id: u64, answer: String) {
        require!(env::predecessor_account_id() == self.worker, "only the worker responds");
        let payload = serde_json::json!(answer).to_string();
        require!(payload.len() <= LONGEST_PAYLOAD, "the answer is too long");
        let Some(request) = self.requests.get_mut(&request_id) else {
            env::panic_str("no such request");
        };
        let Some(yield_id) = request.yield_id.take() else {
            env::panic_str("the request is answered already");
        };
        require!(yield_id.resume(payload).is_ok(), "the request has timed out");
    }

    /// The end of a request. Either the worker or the requester gets the deposit.
    #[private]
    pub fn on_response(
        &mut self,
        request_id: u64,
        #[callback_result] answer: Result<String, PromiseError>,
    ) -> Option<String> {
        let Some(Request { requester, deposit, .. }) = self.requests.remove(&request_id) else {
            env::panic_str("no such request");
        };
        let answer = answer.ok();
        let receiver = if answer.is_some() {
            Event::Answered { request_id, worker: &self.worker, paid: deposit }.emit();
            self.worker.clone()
        } else {
            Event::TimedOut { request_id, requester: &requester, refunded: deposit }.emit();
            requester
        };
        Promise::new(receiver).transfer(deposit).detach();
        answer
    }
}
