//! The JSON web token by which a GitHub App asks as itself: whether GitHub would take it. Rules:
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>,
//! words as people quote GitHub's answers (octokit/auth-app.js#698, probot/probot#967,
//! backstage/backstage#12887). Nothing is remembered here.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use super::rules::Refusal;

/// How far ahead of GitHub's clock a token may end, in seconds: "no more than 10 minutes".
const LONGEST: i64 = 600;

const UNREADABLE: &str = "A JSON web token could not be decoded";
const ISSUED: &str = "'Issued at' claim ('iat') must be an Integer representing the time that the \
                      assertion was issued";
const ENDED: &str = "'Expiration time' claim ('exp') must be a numeric value representing the \
                     future time at which the assertion expires";
const TOO_LONG: &str = "'Expiration time' claim ('exp') is too far in the future";

/// Whether a token has the form of a JSON web token.
pub(super) fn has_form(token: &str) -> bool {
    token.starts_with("eyJ") && token.split('.').count() == 3
}

/// Whether GitHub would take this token now: signed with the App's key, issued by one of its names,
/// at a time that it allows. The tolerance of GitHub's clock is none, as far as it is documented.
pub(super) fn check(
    token: &str,
    key: Option<&[u8]>,
    names: &[String],
    now: Timestamp,
) -> Result<(), Refusal> {
    let claims = key
        .and_then(|key| verified(token, key))
        .ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, UNREADABLE))?;
    let issuer = match claims.get("iss") {
        Some(Value::String(text)) => text.clone(),
        Some(number) => number.to_string(),
        None => String::new(),
    };
    if !names.contains(&issuer) {
        return Err(refusal(StatusCode::NOT_FOUND, "Integration not found"));
    }
    let second = |claim: &str| claims.get(claim).and_then(Value::as_i64);
    let now = now.as_second();
    let problem = match (second("iat"), second("exp")) {
        (Some(issued), _) if issued > now => ISSUED,
        (None, _) => ISSUED,
        (_, Some(ends)) if ends > now + LONGEST => TOO_LONG,
        (_, Some(ends)) if ends > now => return Ok(()),
        (_, Some(_) | None) => ENDED,
    };
    Err(refusal(StatusCode::UNAUTHORIZED, problem))
}

fn refusal(status: StatusCode, message: &str) -> Refusal {
    Refusal {
        status,
        message: message.to_owned(),
        details: Vec::new(),
    }
}

/// The claims of a token that is signed with RS256 by the owner of this public key.
fn verified(token: &str, key: &[u8]) -> Option<Value> {
    let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
    if header.get("alg")? != "RS256" {
        return None;
    }
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    key.verify(signed.as_bytes(), &decode(signature)?).ok()?;
    serde_json::from_slice(&decode(claims)?).ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_795_348_800;

    fn sign(key: &KeyPair, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; key.public_modulus_len()];
        let random = SystemRandom::new();
        key.sign(
            &RSA_PKCS1_SHA256,
            &random,
            signed.as_bytes(),
            &mut signature,
        )
        .unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn claims(issued: i64, ends: i64) -> Value {
        json!({"iat": NOW + issued, "exp": NOW + ends, "iss": "7"})
    }

    fn told(token: &str, key: &[u8]) -> (u16, String) {
        let now = Timestamp::from_second(NOW).unwrap();
        match check(token, Some(key), &["7".to_owned(), "Iv1".to_owned()], now) {
            Ok(()) => (200, String::new()),
            Err(refusal) => (refusal.status.as_u16(), refusal.message),
        }
    }

    #[test]
    fn a_token_is_taken_from_its_issue_until_its_end_which_is_ten_minutes_away_at_most() {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let key = pair.public_key().as_ref();
        let header = json!({"alg": "RS256", "typ": "JWT"});
        for (issued, ends, status, says) in [
            (0, 1, 200, ""),
            (-60, 540, 200, ""),
            (0, 600, 200, ""),
            (0, 601, 401, TOO_LONG),
            (1, 600, 401, ISSUED),
            (-601, 0, 401, ENDED),
        ] {
            let token = sign(&pair, &header, &claims(issued, ends));
            assert_eq!(
                told(&token, key),
                (status, says.to_owned()),
                "{issued} {ends}"
            );
        }
        let issuer = |issuer: Value| {
            let mut claims = claims(-60, 540);
            claims["iss"] = issuer;
            told(&sign(&pair, &header, &claims), key).0
        };
        assert_eq!(issuer(json!(7)), 200);
        assert_eq!(issuer(json!("Iv1")), 200);
        assert_eq!(issuer(json!("8")), 404);
    }

    #[test]
    fn a_token_of_another_key_or_another_way_to_sign_is_none() {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let other = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let spki: Vec<u8> = {
            let der = pair.public_key().as_der().unwrap();
            der.as_ref().to_vec()
        };
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let good = sign(&pair, &header, &claims(-60, 540));
        assert_eq!(told(&good, &spki).0, 200);
        let unreadable = (401, UNREADABLE.to_owned());
        assert_eq!(told(&good, other.public_key().as_ref()), unreadable);
        let none = sign(&pair, &json!({"alg": "none"}), &claims(-60, 540));
        assert_eq!(told(&none, &spki), unreadable);
        let changed = good.replacen("eyJ", "eyK", 1);
        for token in ["", "a.b.c", "eyJ", &good[..good.len() - 3], &changed] {
            assert_eq!(told(token, &spki), unreadable, "{token}");
        }
        assert!(has_form(&good) && !has_form("ghs_1") && !has_form("github_pat_1.2.3"));
    }
}
