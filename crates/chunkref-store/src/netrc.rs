// SPDX-License-Identifier: MIT OR Apache-2.0
//! Logins of `~/.netrc`.

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::path::PathBuf;

use chunkref_core::secret::keep_login;

/// User and password of a host.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// The logins of a netrc file, by host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Netrc {
    hosts: HashMap<String, Login>,
    default: Option<Login>,
}

impl Netrc {
    /// The file that `NETRC` names, or `~/.netrc`; nothing when there is none.
    pub(crate) fn load() -> Self {
        let path = env::var_os("NETRC")
            .map(PathBuf::from)
            .or_else(|| Some(env::home_dir()?.join(".netrc")));
        path.and_then(|path| std::fs::read_to_string(path).ok())
            .map(|text| Self::parse(&text))
            .unwrap_or_default()
    }

    /// The login of a host that the user named, for which the default is too.
    pub(crate) fn login(&self, host: &str) -> Option<&Login> {
        self.login_of(host).or(self.default.as_ref())
    }

    /// The login that is for a host by its name.
    pub(crate) fn login_of(&self, host: &str) -> Option<&Login> {
        self.hosts.get(host)
    }

    /// Reads what a netrc file says of machines; macros and words that nobody knows are passed over.
    pub(crate) fn parse(text: &str) -> Self {
        let mut netrc = Self::default();
        let mut words = without_comments(text);
        let mut machine: Option<Option<String>> = None;
        let (mut user, mut password) = (None::<String>, None::<String>);
        loop {
            let word = words.next();
            if matches!(word, None | Some("machine" | "default"))
                && let (Some(machine), Some(user), Some(password)) =
                    (machine.take(), user.take(), password.take())
            {
                keep_login(&user, &password);
                let login = Login { user, password };
                match machine {
                    Some(host) => drop(netrc.hosts.entry(host).or_insert(login)),
                    None => netrc.default = Some(login),
                }
            }
            match word {
                None => return netrc,
                Some("machine") => machine = words.next().map(|host| Some(host.to_owned())),
                Some("default") => machine = Some(None),
                Some("login") => user = words.next().map(str::to_owned),
                Some("password") => password = words.next().map(str::to_owned),
                Some("account") => drop(words.next()),
                Some(_) => {}
            }
        }
    }
}

fn without_comments(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_and_the_default_have_logins() {
        let netrc = Netrc::parse(
            "# machine no login a password b\nmachine urs.earthdata.nasa.gov login me\n  password p#w account x\nmachine half login you\nmachine other login o password q\ndefault login d password e",
        );
        let login = |host: &str| {
            netrc.login(host).map(|login| (login.user.as_str(), login.password.as_str()))
        };
        assert_eq!(login("urs.earthdata.nasa.gov"), Some(("me", "p#w")));
        assert_eq!(login("other"), Some(("o", "q")));
        assert_eq!(login("half"), Some(("d", "e")));
        assert_eq!(netrc.login_of("half"), None);
        assert_eq!(Netrc::parse("").login("x"), None);
        assert!(!format!("{netrc:?}").contains("p#w"));
    }
}
