//! Cases of `KnownAddresses`.

use std::sync::Arc;

use shared::ports::KnownAddresses;

use super::{Case, CaseData, Outcome, cases, expect_eq};

type Subject = Arc<dyn KnownAddresses>;

/// Every case of [`KnownAddresses`].
pub fn known_addresses() -> Vec<Case<Subject>> {
    cases![
        remembered_address_is_known_for_its_user_only,
        only_the_latest_twenty_addresses_are_known,
        forgotten_user_has_no_known_address,
    ]
}

async fn remembered_address_is_known_for_its_user_only(addresses: Subject, data: CaseData) -> Outcome {
    let user = data.user_id();
    expect_eq(addresses.knows(&user, "192.0.2.1").await?, false)?;
    for address in ["192.0.2.1", "2001:db8::1"] {
        addresses.remember(&user, address, data.now).await?;
        expect_eq(addresses.knows(&user, address).await?, true)?;
    }
    expect_eq(addresses.knows(&user, "192.0.2.2").await?, false)?;
    expect_eq(addresses.knows(&data.user_id(), "192.0.2.1").await?, false)
}

async fn only_the_latest_twenty_addresses_are_known(addresses: Subject, data: CaseData) -> Outcome {
    let user = data.user_id();
    for n in 0..20 {
        addresses.remember(&user, &format!("192.0.2.{n}"), data.after(n)).await?;
    }
    // The first one is used again, so the second one is the oldest.
    addresses.remember(&user, "192.0.2.0", data.after(30)).await?;
    addresses.remember(&user, "192.0.2.99", data.after(31)).await?;
    for (last, known) in [(0, true), (1, false), (2, true), (19, true), (99, true)] {
        expect_eq((last, addresses.knows(&user, &format!("192.0.2.{last}")).await?), (last, known))?;
    }
    Ok(())
}

async fn forgotten_user_has_no_known_address(addresses: Subject, data: CaseData) -> Outcome {
    let (user, other) = (data.user_id(), data.user_id());
    addresses.remember(&user, "192.0.2.1", data.now).await?;
    addresses.remember(&other, "192.0.2.1", data.now).await?;
    addresses.forget(&user).await?;
    addresses.forget(&user).await?;
    expect_eq(addresses.knows(&user, "192.0.2.1").await?, false)?;
    expect_eq(addresses.knows(&other, "192.0.2.1").await?, true)
}
