//! Virtual networks: the same addresses in two of them are not the same endpoints.

/// The VLANs and tunnels that a packet came through, folded into a number.
///
/// What folds into the same number is taken for the same network: no harm, for then it depends on
/// the sequence numbers alone, as within one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Network(u16);

impl Network {
    /// No tag and no tunnel.
    pub(super) const PLAIN: Self = Self(0);

    /// One more layer, with its number: VLAN, VNI, key, the addresses of a tunnel's ends. The same for
    /// both directions, where the layer has such a number.
    #[must_use]
    pub(super) fn within(self, number: u32) -> Self {
        let folded = (number >> 16) as u16 ^ number as u16;
        // Layers in another order are another network, and number 0 is one too.
        Self(self.0.rotate_left(5) ^ folded.wrapping_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_make_networks() {
        let of = |layers: &[u32]| layers.iter().fold(Network::PLAIN, |network, n| network.within(*n));
        let all = [of(&[]), of(&[0]), of(&[1]), of(&[4094]), of(&[1, 2]), of(&[2, 1]), of(&[1, 0])];
        for (i, one) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other != one), "{i}");
        }
        assert_eq!(of(&[5, 6]), of(&[5, 6]));
    }
}
