//! Enums whose variants have a name on the wire.
//!
//! JSON, the store and the config all spell these names; one list per enum keeps the three from
//! drifting apart, and a new variant without a name does not compile.

/// Declares a field-less enum with one wire name per variant.
///
/// Gives it `ALL`, `as_str`, `from_name` and `Display`.
macro_rules! named {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$vmeta:meta])* $variant:ident = $text:literal ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $( $(#[$vmeta])* $variant ),*
        }

        impl $name {
            /// Every variant, in the order in which it is documented.
            pub const ALL: &[Self] = &[ $( Self::$variant ),* ];

            /// The name by which JSON, the store and the config know it.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text ),* }
            }

            /// The variant of that name, if there is one.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.as_str() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
