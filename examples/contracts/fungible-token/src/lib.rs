//! A fungible token: NEP-141 (core and `ft_transfer_call`), NEP-145 (storage management), NEP-148 (metadata), with the
//! NEP-297 events of NEP-300. Written out in full, so that every receipt can be traced back to a line.
//!
//! The owner mints at initialization. An account must be registered (it pays for its storage) before it can receive.

use near_sdk::json_types::{Base64VecU8, U128};
use near_sdk::store::LookupMap;
use near_sdk::{
    assert_one_yocto, env, ext_contract, near, require, AccountId, Gas, NearToken, PanicOnDefault,
    Promise, PromiseError, PromiseOrValue,
};

/// Gas of `ft_resolve_transfer`, kept back from what the receiver gets.
const RESOLVE_GAS: Gas = Gas::from_tgas(5);
/// What `ft_transfer_call` needs at least.
const TRANSFER_CALL_GAS: Gas = Gas::from_tgas(30);
/// Bytes that a registered account takes at most: the longest account id, its key and its balance.
const ACCOUNT_BYTES: u128 = 64 + 4 + 1 + 16 + 40;

#[near(serializers = [json, borsh])]
#[derive(Clone)]
pub struct Metadata {
    pub spec: String,
    pub name: String,
    pub symbol: String,
    pub icon: Option<String>,
    pub reference: Option<String>,
    pub reference_hash: Option<Base64VecU8>,
    pub decimals: u8,
}

#[near(serializers = [json])]
pub struct StorageBalance {
    pub total: NearToken,
    pub available: NearToken,
}

#[near(serializers = [json])]
pub struct StorageBalanceBounds {
    pub min: NearToken,
    pub max: Option<NearToken>,
}

#[near(contract_state)]
#[derive(PanicOnDefault)]
pub struct Token {
    balances: LookupMap<AccountId, u128>,
    total_supply: u128,
    metadata: Metadata,
}

#[ext_contract(ext_receiver)]
pub trait Receiver {
    fn ft_on_transfer(
        &mut self,
        sender_id: AccountId,
        amount: U128,
        msg: String,
    ) -> PromiseOrValue<U128>;
}

#[near]
impl Token {
    #[init]
    pub fn new(owner_id: AccountId, total_supply: U128, metadata: Option<Metadata>) -> Self {
        let metadata = metadata.unwrap_or_else(|| Metadata {
            spec: "ft-1.0.0".to_string(),
            name: "Example Token".to_string(),
            symbol: "EXT".to_string(),
            icon: None,
            reference: None,
            reference_hash: None,
            decimals: 18,
        });
        require!(metadata.spec == "ft-1.0.0", "spec must be ft-1.0.0");
        let mut token = Self {
            balances: LookupMap::new(b"b"),
            total_supply: total_supply.0,
            metadata,
        };
        token.balances.insert(owner_id.clone(), total_supply.0);
        event("ft_mint", &format!("\"owner_id\":\"{owner_id}\",\"amount\":\"{}\"", total_supply.0));
        token
    }

    // NEP-141

    #[payable]
    pub fn ft_transfer(&mut self, receiver_id: AccountId, amount: U128, memo: Option<String>) {
        assert_one_yocto();
        self.transfer(&env::predecessor_account_id(), &receiver_id, amount.0, memo.as_deref());
    }

    #[payable]
    pub fn ft_transfer_call(
        &mut self,
        receiver_id: AccountId,
        amount: U128,
        memo: Option<String>,
        msg: String,
    ) -> PromiseOrValue<U128> {
        assert_one_yocto();
        require!(env::prepaid_gas() >= TRANSFER_CALL_GAS, "more gas is required");
        let sender_id = env::predecessor_account_id();
        self.transfer(&sender_id, &receiver_id, amount.0, memo.as_deref());
        ext_receiver::ext(receiver_id.clone())
            .with_static_gas(
                env::prepaid_gas()
                    .saturating_sub(env::used_gas())
                    .saturating_sub(TRANSFER_CALL_GAS.saturating_sub(RESOLVE_GAS)),
            )
            .ft_on_transfer(sender_id.clone(), amount, msg)
            .then(
                Self::ext(env::current_account_id())
                    .with_static_gas(RESOLVE_GAS)
                    .ft_resolve_transfer(sender_id, receiver_id, amount),
            )
            .into()
    }

    /// What the receiver did not use goes back, as far as it still has it; the amount used is returned.
    #[private]
    pub fn ft_resolve_transfer(
        &mut self,
        sender_id: AccountId,
        receiver_id: AccountId,
        amount: U128,
        #[callback_result] unused: Result<U128, PromiseError>,
    ) -> U128 {
        let unused = unused.map_or(amount.0, |unused| unused.0.min(amount.0));
        if unused == 0 {
            return amount;
        }
        let left = self.balances.get(&receiver_id).copied().unwrap_or(0);
        let refund = unused.min(left);
        if refund > 0 {
            self.balances.insert(receiver_id.clone(), left - refund);
            match self.balances.get(&sender_id).copied() {
                Some(balance) => {
                    self.balances.insert(sender_id.clone(), balance + refund);
                    event_transfer(&receiver_id, &sender_id, refund, Some("refund"));
                }
                None => {
                    self.total_supply -= refund;
                    event(
                        "ft_burn",
                        &format!("\"owner_id\":\"{receiver_id}\",\"amount\":\"{refund}\",\"memo\":\"refund\""),
                    );
                    return amount;
                }
            }
        }
        U128(amount.0 - refund)
    }

    pub fn ft_total_supply(&self) -> U128 {
        U128(self.total_supply)
    }

    pub fn ft_balance_of(&self, account_id: AccountId) -> U128 {
        U128(self.balances.get(&account_id).copied().unwrap_or(0))
    }

    // NEP-148

    pub fn ft_metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    // NEP-145

    #[payable]
    pub fn storage_deposit(
        &mut self,
        account_id: Option<AccountId>,
        registration_only: Option<bool>,
    ) -> StorageBalance {
        let _ = registration_only; // there is nothing but registration
        let deposit = env::attached_deposit();
        let account_id = account_id.unwrap_or_else(env::predecessor_account_id);
        let price = storage_price();
        let mut change = deposit;
        if self.balances.get(&account_id).is_none() {
            require!(deposit >= price, "the attached deposit is less than the minimum storage balance");
            self.balances.insert(account_id, 0);
            change = deposit.saturating_sub(price);
        }
        if !change.is_zero() {
            Promise::new(env::predecessor_account_id()).transfer(change).detach();
        }
        StorageBalance { total: price, available: NearToken::from_yoctonear(0) }
    }

    #[payable]
    pub fn storage_withdraw(&mut self, amount: Option<NearToken>) -> StorageBalance {
        assert_one_yocto();
        let account_id = env::predecessor_account_id();
        require!(self.balances.get(&account_id).is_some(), "the account is not registered");
        require!(amount.is_none_or(|amount| amount.is_zero()), "nothing is available to withdraw");
        StorageBalance { total: storage_price(), available: NearToken::from_yoctonear(0) }
    }

    #[payable]
    pub fn storage_unregister(&mut self, force: Option<bool>) -> bool {
        assert_one_yocto();
        let account_id = env::predecessor_account_id();
        let Some(balance) = self.balances.get(&account_id).copied() else {
            return false;
        };
        require!(balance == 0 || force == Some(true), "the balance is not zero; force burns it");
        self.balances.remove(&account_id);
        self.total_supply -= balance;
        if balance > 0 {
            event("ft_burn", &format!("\"owner_id\":\"{account_id}\",\"amount\":\"{balance}\""));
        }
        Promise::new(account_id)
            .transfer(storage_price().saturating_add(NearToken::from_yoctonear(1)))
            .detach();
        true
    }

    pub fn storage_balance_bounds(&self) -> StorageBalanceBounds {
        StorageBalanceBounds { min: storage_price(), max: Some(storage_price()) }
    }

    pub fn storage_balance_of(&self, account_id: AccountId) -> Option<StorageBalance> {
        self.balances.get(&account_id)?;
        Some(StorageBalance { total: storage_price(), available: NearToken::from_yoctonear(0) })
    }
}

impl Token {
    fn transfer(&mut self, from: &AccountId, to: &AccountId, amount: u128, memo: Option<&str>) {
        require!(from != to, "sender and receiver must differ");
        require!(amount > 0, "the amount must be positive");
        let source = self.balances.get(from).copied();
        let target = self.balances.get(to).copied();
        let source = source.unwrap_or_else(|| env::panic_str(&format!("the account {from} is not registered")));
        let target = target.unwrap_or_else(|| env::panic_str(&format!("the account {to} is not registered")));
        require!(source >= amount, "the account does not have enough balance");
        self.balances.insert(from.clone(), source - amount);
        self.balances.insert(to.clone(), target + amount);
        event_transfer(from, to, amount, memo);
    }
}

fn storage_price() -> NearToken {
    env::storage_byte_cost().saturating_mul(ACCOUNT_BYTES)
}

fn event(name: &str, members: &str) {
    env::log_str(&format!(
        "EVENT_JSON:{{\"standard\":\"nep141\",\"version\":\"1.0.0\",\"event\":\"{name}\",\"data\":[{{{members}}}]}}"
    ));
}

fn event_transfer(from: &AccountId, to: &AccountId, amount: u128, memo: Option<&str>) {
    let memo = memo.map_or(String::new(), |memo| {
        let text = near_sdk::serde_json::to_string(memo).unwrap_or_default();
        format!(",\"memo\":{text}")
    });
    event(
        "ft_transfer",
        &format!("\"old_owner_id\":\"{from}\",\"new_owner_id\":\"{to}\",\"amount\":\"{amount}\"{memo}"),
    );
}
