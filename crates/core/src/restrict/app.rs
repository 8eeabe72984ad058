//! App rules: which mobile apps may use a public key, by the headers that Google's client
//! libraries send: `X-Android-Package` with `X-Android-Cert`, or `X-Ios-Bundle-Identifier`.
//!
//! Like referrer rules they keep other apps out, not scripts: anyone can send these headers.

mod android;
mod ios;

pub use self::android::{AndroidApp, CertificateSha1};
pub use self::ios::BundleId;

use serde::{Deserialize, Serialize};

use crate::request::Facts;

const LONGEST_NAME: usize = 255;

/// The apps that may use a key; any one of them, of either system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Apps {
    /// Android apps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub android: Vec<AndroidApp>,
    /// iOS apps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ios: Vec<BundleId>,
}

impl Apps {
    /// Whether no app is named, which restricts nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.android.is_empty() && self.ios.is_empty()
    }

    /// Whether a request comes from one of the apps, as far as its headers tell.
    #[must_use]
    pub fn check(&self, facts: &Facts<'_>) -> bool {
        let android = facts
            .android_package
            .zip(facts.android_cert.and_then(|cert| cert.parse().ok()));
        android.is_some_and(|(package, sha1)| {
            self.android
                .iter()
                .any(|app| app.package == package && app.sha1 == sha1)
        }) || facts
            .ios_bundle
            .is_some_and(|bundle| self.ios.iter().any(|app| *app == *bundle))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{AndroidApp, Apps, BundleId, CertificateSha1};
    use crate::request::Facts;
    use crate::restrict::path::CheckedPath;

    const CERT: &str = "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709";
    const CERT_WITH_COLONS: &str = "DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09";

    fn allows(package: Option<&str>, cert: Option<&str>, bundle: Option<&str>) -> bool {
        let apps: Apps = serde_json::from_value(serde_json::json!({
            "android": [{"package": "com.example.app", "sha1": CERT_WITH_COLONS}],
            "ios": ["com.example.App"],
        }))
        .unwrap();
        let path = CheckedPath::parse("/").unwrap();
        apps.check(&Facts {
            method: "GET",
            path: &path,
            is_exchange: false,
            origin: None,
            referer: None,
            sec_fetch_site: None,
            websocket: false,
            ip: None,
            android_package: package,
            android_cert: cert,
            ios_bundle: bundle,
        })
    }

    #[test]
    fn an_app_is_its_package_and_its_signer_or_its_bundle() {
        let lower = CERT.to_lowercase();
        assert!(allows(Some("com.example.app"), Some(CERT), None));
        assert!(allows(Some("com.example.app"), Some(&lower), None));
        assert!(allows(
            Some("com.example.app"),
            Some(CERT_WITH_COLONS),
            None
        ));
        assert!(allows(None, None, Some("com.example.App")));
        assert!(allows(
            Some("com.other.app"),
            Some(CERT),
            Some("com.example.App")
        ));

        assert!(!allows(None, None, None));
        assert!(!allows(Some("com.example.app"), None, None));
        assert!(!allows(None, Some(CERT), None));
        assert!(!allows(Some("com.example.App"), Some(CERT), None));
        assert!(!allows(
            Some("com.example.app"),
            Some(&CERT.replace('D', "C")),
            None
        ));
        assert!(!allows(Some("com.example.app"), Some(""), Some("")));
        assert!(!allows(
            Some("com.example.app, com.example.app"),
            Some(CERT),
            None
        ));
        assert!(!allows(
            Some("com.example.app"),
            Some(&format!("{CERT}, {CERT}")),
            None
        ));
        assert!(!allows(None, None, Some("com.example.app")));
        assert!(!allows(None, None, Some("com.example.App ")));
    }

    #[test]
    fn what_names_no_app_is_refused_when_written() {
        for package in [
            "",
            "app",
            "com.",
            ".com.app",
            "com..app",
            "com.1app",
            "com.*",
            "com.ex-ample",
            "com.é",
            "com.a ",
        ] {
            assert!(AndroidApp::new(package, CERT).is_err(), "{package:?}");
        }
        let long = format!("{CERT}00");
        let half_colons = CERT_WITH_COLONS.replacen(':', "0", 1);
        for sha1 in [
            "",
            "DA39",
            &CERT.replace('D', "G"),
            &long,
            &half_colons,
            "é9A3EE5E6B4B0D3255BFEF95601890AFD80709",
        ] {
            assert!(
                AndroidApp::new("com.example.app", sha1).is_err(),
                "{sha1:?}"
            );
        }
        for bundle in [
            "",
            ".",
            "com.",
            "com..app",
            "com.example.*",
            "com.exa_mple",
            "com.example.app ",
            "cöm",
        ] {
            assert!(bundle.parse::<BundleId>().is_err(), "{bundle:?}");
        }
        for json in [
            r#"{"android": [{"package": "com.example.app"}]}"#,
            r#"{"android": ["com.example.app"]}"#,
            r#"{"ios": [{}]}"#,
            r#"{"windows": []}"#,
        ] {
            assert!(serde_json::from_str::<Apps>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn apps_are_written_back_as_they_are_read() {
        let json = format!(
            r#"{{"android":[{{"package":"com.example.app","sha1":"{CERT_WITH_COLONS}"}}],"ios":["com.example.App"]}}"#
        );
        let apps: Apps = serde_json::from_str(&json).unwrap();
        assert!(!apps.is_empty());
        assert_eq!(serde_json::to_string(&apps).unwrap(), json);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in any::<String>(), hexadecimal in "[0-9a-fA-F:]{36,62}") {
            let _ = (text.parse::<CertificateSha1>(), text.parse::<BundleId>(), AndroidApp::new(&text, CERT));
            if let Ok(sha1) = hexadecimal.parse::<CertificateSha1>() {
                prop_assert_eq!(sha1.to_string().parse::<CertificateSha1>().unwrap(), sha1);
            }
        }
    }
}
