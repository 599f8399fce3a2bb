//! Form-encoded bodies: how old Graph versions hand over a grant.

/// The value of a field of `a=1&b=2`, decoded.
///
/// What is no form has no fields: a page or a refusal may quote a URL with a token in it.
pub(super) fn field(body: &str, name: &str) -> Option<String> {
    let body = body.trim();
    let of_a_form = |c: char| c.is_ascii_graphic() && !"<>{}\"'".contains(c);
    if !body.chars().all(of_a_form) {
        return None;
    }
    body.split('&').filter_map(|pair| pair.split_once('=')).find_map(|(key, value)| {
        (key == name).then(|| decoded(value)).flatten().filter(|value| !value.is_empty())
    })
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (rest.next()?, rest.next()?);
                let digit = |digit: u8| char::from(digit).to_digit(16);
                u8::try_from(digit(high)? * 16 + digit(low)?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_and_decoded() {
        for (body, value) in [
            ("access_token=EAAfake&expires=5183999", Some("EAAfake")),
            ("x=1&access_token=12%7Cfake\n", Some("12|fake")),
            ("access_token=", None),
            ("access_token=%7", None),
            ("access_token=%zz", None),
            ("access_token=%ff", None),
            ("access_token", None),
            (r#"{"message":"at&access_token=EAAfake&b"}"#, None),
            ("<p>a=1&access_token=EAAfake&b=2</p>", None),
            ("a=1&access_token=EAAfake&b=2 and more", None),
            ("", None),
        ] {
            assert_eq!(field(body, "access_token").as_deref(), value, "{body}");
        }
    }
}
