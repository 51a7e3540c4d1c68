//! The contract against near-sdk's mock of the chain; whole calls with their receipts are tested with `near-tee`.

use super::*;
use near_sdk::mock::MockAction;
use near_sdk::test_utils::{get_created_receipts, get_logs, VMContextBuilder};
use near_sdk::{testing_env, PromiseResult, RuntimeFeesConfig};

const TENTH: NearToken = NearToken::from_millinear(100);

fn account(name: &str) -> AccountId {
    name.parse().unwrap()
}

/// The calls that follow come from `predecessor`, with `deposit` and, for a callback, with the result it waited for.
fn call(predecessor: &str, deposit: NearToken, result: Option<PromiseResult>) {
    let context = VMContextBuilder::new()
        .current_account_id(account("contract.near"))
        .predecessor_account_id(account(predecessor))
        .attached_deposit(deposit)
        .build();
    testing_env!(
        context,
        near_sdk::test_vm_config(),
        RuntimeFeesConfig::test(),
        Default::default(),
        result.into_iter().collect()
    );
}

fn calls(predecessor: &str) {
    call(predecessor, NearToken::from_yoctonear(0), None);
}

/// A contract that somebody has asked something. The mock forgets a yield when another call begins; where one is to be
/// resumed, the worker itself has asked, and answers within the same call.
fn asked_by(requester: &str, input: &str) -> OffchainWorker {
    calls("contract.near");
    let mut contract = OffchainWorker::new(account("worker.near"));
    call(requester, TENTH, None);
    contract.request(input.to_string()).detach();
    contract
}

fn transfers() -> Vec<(String, NearToken)> {
    let mut found = Vec::new();
    for receipt in get_created_receipts() {
        for action in receipt.actions {
            if let MockAction::Transfer { deposit, .. } = action {
                found.push((receipt.receiver_id.to_string(), deposit));
            }
        }
    }
    found
}

fn ids(contract: &OffchainWorker) -> Vec<u64> {
    contract.pending(None, None).iter().map(|request| request.request_id).collect()
}

#[test]
fn a_request_yields_and_waits() {
    let contract = asked_by("alice.near", "how warm is it?");
    assert_eq!(
        get_logs(),
        [concat!(
            r#"EVENT_JSON:{"standard":"offchain-worker","version":"1.0.0","event":"requested","data":"#,
            r#"{"request_id":0,"requester":"alice.near","input":"how warm is it?","deposit":"100000000000000000000000"}}"#
        )]
    );
    let [request] = &contract.pending(None, None)[..] else { panic!("one request waits") };
    assert_eq!((request.request_id, request.requester.as_str()), (0, "alice.near"));
    assert_eq!((request.input.as_str(), request.deposit), ("how warm is it?", TENTH));
}

#[test]
fn requests_are_listed_in_parts() {
    let mut contract = asked_by("alice.near", "0");
    for number in 1..5 {
        contract.request(number.to_string()).detach();
    }
    assert_eq!(ids(&contract), [0, 1, 2, 3, 4]);
    let part: Vec<_> = contract.pending(Some(1), Some(2)).into_iter().map(|request| request.input).collect();
    assert_eq!(part, ["1", "2"]);
    assert!(contract.pending(Some(5), None).is_empty());
}

#[test]
fn the_least_deposit_pays_for_the_longest_request() {
    calls("contract.near");
    let mut contract = OffchainWorker::new(account("worker.near"));
    call(&"a".repeat(64), PRICE, None);
    let before = env::storage_usage();
    contract.request("x".repeat(LONGEST_INPUT)).detach();
    contract.requests.flush();
    let bytes = env::storage_usage() - before;
    assert!(bytes > LONGEST_INPUT as u64);
    assert!(env::storage_byte_cost().saturating_mul(bytes.into()) <= PRICE);
}

#[test]
#[should_panic(expected = "a request takes a deposit of 0.01 NEAR at least")]
fn a_request_costs() {
    let mut contract = asked_by("alice.near", "");
    call("alice.near", PRICE.saturating_sub(NearToken::from_yoctonear(1)), None);
    contract.request(String::new()).detach();
}

#[test]
#[should_panic(expected = "the input is too long")]
fn the_input_has_an_end() {
    asked_by("alice.near", &"x".repeat(LONGEST_INPUT + 1));
}

#[test]
fn the_worker_responds_and_is_paid() {
    let mut contract = asked_by("worker.near", "?");
    contract.respond(0, "42".to_string());
    assert!(ids(&contract).is_empty());
    assert_eq!(transfers(), []);

    call("contract.near", NearToken::from_yoctonear(0), Some(PromiseResult::Successful(b"\"42\"".to_vec())));
    assert_eq!(contract.on_response(0, Ok("42".to_string())).as_deref(), Some("42"));
    assert_eq!(transfers(), [("worker.near".to_string(), TENTH)]);
    assert!(get_logs()[0].contains(r#""event":"answered","data":{"request_id":0,"worker":"worker.near""#));
    assert!(contract.requests.is_empty());
}

#[test]
fn without_an_answer_the_deposit_goes_back() {
    let mut contract = asked_by("alice.near", "?");
    call("contract.near", NearToken::from_yoctonear(0), Some(PromiseResult::Failed));
    assert_eq!(contract.on_response(0, Err(PromiseError::Failed)), None);
    assert_eq!(transfers(), [("alice.near".to_string(), TENTH)]);
    assert!(get_logs()[0].contains(r#""event":"timed_out","data":{"request_id":0,"requester":"alice.near""#));
    assert!(contract.requests.is_empty());
}

#[test]
#[should_panic(expected = "only the worker responds")]
fn a_stranger_is_refused() {
    let mut contract = asked_by("alice.near", "?");
    calls("alice.near");
    contract.respond(0, "42".to_string());
}

#[test]
#[should_panic(expected = "no such request")]
fn an_unknown_request_is_refused() {
    let mut contract = asked_by("alice.near", "?");
    calls("worker.near");
    contract.respond(1, "42".to_string());
}

#[test]
#[should_panic(expected = "the request is answered already")]
fn a_second_response_is_refused() {
    let mut contract = asked_by("worker.near", "?");
    contract.respond(0, "42".to_string());
    contract.respond(0, "43".to_string());
}

#[test]
fn the_longest_answer() {
    let mut contract = asked_by("worker.near", "?");
    contract.respond(0, "x".repeat(LONGEST_PAYLOAD - 2));
}

#[test]
#[should_panic(expected = "the answer is too long")]
fn an_answer_has_an_end() {
    let mut contract = asked_by("alice.near", "?");
    calls("worker.near");
    contract.respond(0, "x".repeat(LONGEST_PAYLOAD - 1));
}

#[test]
#[should_panic(expected = "the answer is too long")]
fn an_answer_is_measured_as_it_is_sent() {
    let mut contract = asked_by("alice.near", "?");
    calls("worker.near");
    contract.respond(0, "\n".repeat(LONGEST_PAYLOAD / 2));
}

#[test]
#[should_panic(expected = "the request has timed out")]
fn a_response_to_a_yield_that_is_over_is_refused() {
    let mut contract = asked_by("alice.near", "?");
    calls("worker.near"); // where the mock knows of no yield
    contract.respond(0, "42".to_string());
}
