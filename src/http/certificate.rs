//! A certificate for this machine, signed by itself: just enough of X.509 to be believed.

use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const UTF8: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;

const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// A certificate, and a server that shows it.
pub struct Certificate {
    pub pem: String,
    pub server: Arc<ServerConfig>,
}

impl Certificate {
    /// A new one for `localhost` and no address.
    pub fn for_localhost() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();

        let to_be_signed = to_be_signed(key.public_key().as_ref());
        let signature = key.sign(&random, &to_be_signed).unwrap();
        let der = der(SEQUENCE, &[to_be_signed, signature_algorithm(), bits(signature.as_ref())]);

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.as_ref().to_vec()));
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![der.clone().into()], secret)
            .unwrap();
        Self { pem: pem(&der), server: Arc::new(server) }
    }
}

fn to_be_signed(public_key: &[u8]) -> Vec<u8> {
    let name = [der(OID, &[COMMON_NAME.into()]), der(UTF8, &[b"localhost".into()])];
    let name = der(SEQUENCE, &[der(SET, &[der(SEQUENCE, &name)])]);
    let times = ["200101000000Z", "491231235959Z"].map(|time| der(UTC_TIME, &[time.into()]));
    let algorithm = [der(OID, &[EC_PUBLIC_KEY.into()]), der(OID, &[P256.into()])];
    let names = der(SEQUENCE, &[der(0x82, &[b"localhost".into()])]);
    let extension = [der(OID, &[ALTERNATIVE_NAMES.into()]), der(OCTETS, &[names])];
    let version = der(0xa0, &[der(INTEGER, &[vec![2]])]);
    let serial = der(INTEGER, &[vec![1]]);
    let key = der(SEQUENCE, &[der(SEQUENCE, &algorithm), bits(public_key)]);
    let extensions = der(0xa3, &[der(SEQUENCE, &[der(SEQUENCE, &extension)])]);
    der(
        SEQUENCE,
        &[
            version,
            serial,
            signature_algorithm(),
            name.clone(),
            der(SEQUENCE, &times),
            name,
            key,
            extensions,
        ],
    )
}

fn signature_algorithm() -> Vec<u8> {
    der(SEQUENCE, &[der(OID, &[ECDSA_WITH_SHA256.into()])])
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    der(BITS, &[vec![0], bytes.to_vec()])
}

fn der(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length: &[u8] = match content.len() {
        0..128 => &length[1..],
        128..256 => &[0x81, length[1]],
        _ => &[0x82, length[0], length[1]],
    };
    [&[tag], length, &content].concat()
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64(der))
}

/// Encodes bytes as a PEM file and SMTP do.
pub fn base64(bytes: &[u8]) -> String {
    data_encoding::BASE64.encode(bytes)
}
