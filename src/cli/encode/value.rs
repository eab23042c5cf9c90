//! What the values of `wstool encode`'s options may be.

use crate::model::LengthForm;
use crate::synth;
use crate::synth::frames::Masking;

/// Which byte to spoil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Last,
    At(usize),
}

impl Place {
    /// `None` for the last.
    pub fn offset(self) -> Option<usize> {
        match self {
            Self::Last => None,
            Self::At(offset) => Some(offset),
        }
    }
}

pub(super) fn place(value: &str) -> Result<Place, String> {
    match value {
        "last" => Ok(Place::Last),
        offset => number(offset).map(|offset| Place::At(usize::try_from(offset).unwrap_or(usize::MAX))),
    }
}

pub(super) fn masking(value: &str) -> Result<Masking, String> {
    match value {
        "none" => Ok(Masking::None),
        "random" => Ok(Masking::Fresh),
        key => synth::hex(key.strip_prefix("0x").unwrap_or(key).as_bytes())
            .and_then(|key| <[u8; 4]>::try_from(key).ok())
            .map(Masking::Key)
            .ok_or_else(|| "a masking key is 8 hexadecimal digits, such as 37fa213d".to_owned()),
    }
}

pub(super) fn length_form(value: &str) -> Result<LengthForm, String> {
    match value {
        "7" => Ok(LengthForm::Bits7),
        "16" => Ok(LengthForm::Bits16),
        "64" => Ok(LengthForm::Bits64),
        _ => Err("the length has 7, 16 or 64 bits".to_owned()),
    }
}

pub(super) fn opcode(value: &str) -> Result<u8, String> {
    let opcode = number(value)?;
    u8::try_from(opcode).ok().filter(|opcode| *opcode < 16).ok_or_else(|| "an opcode is 0 to 15".to_owned())
}

pub(super) fn number(value: &str) -> Result<u64, String> {
    synth::number(value).ok_or_else(|| "not a number, such as 200 or 0xc8".to_owned())
}
