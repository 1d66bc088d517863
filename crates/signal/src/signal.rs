use std::fmt;
use std::str::FromStr;

use crate::obs_code::ObsCode;
use crate::sat::{Constellation, ParseError, Sat};
use crate::{b1c, b1i, b2a, b2b, b2i, b3i, l1ca, sbas};

/// A signal component. Of B1C and B2a the names end with `D` for data and `P` for pilot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignalId {
    /// BeiDou B1I.
    B1I,
    /// BeiDou B1C, data component.
    B1CD,
    /// BeiDou B1C, pilot component.
    B1CP,
    /// BeiDou B2I, of BeiDou-2.
    B2I,
    /// BeiDou B3I.
    B3I,
    /// BeiDou B2a, data component.
    B2AD,
    /// BeiDou B2a, pilot component.
    B2AP,
    /// BeiDou B2b, in-phase component: B-CNAV3, or PPP-B2b from GEO satellites.
    B2BI,
    /// GPS L1 C/A.
    L1CA,
    /// SBAS on L1, BDSBAS-B1C among it.
    SBASL1,
    /// Dual-frequency SBAS on L5, BDSBAS-B2a among it.
    SBASL5,
}

/// How chips become a waveform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modulation {
    /// One rectangular pulse a chip.
    Bpsk,
    /// Sine-phased BOC(n, n): the first half of a chip keeps the sign, the second half inverts it.
    BocSine,
    /// QMBOC(6, 1, 4/33) of the B1C pilot: BOC(1,1) with 29/33 of the power, BOC(6,1) in phase quadrature
    /// with 4/33 (BDS-SIS-ICD-B1C-1.0 section 4.2.2).
    Qmboc,
}

/// The navigation message on a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NavMessage {
    /// BeiDou D1: 50 bit/s with the Neumann-Hoffman code (MEO and IGSO).
    D1,
    /// BeiDou D2: 500 bit/s (GEO).
    D2,
    /// BeiDou B-CNAV1 on B1C.
    Cnav1,
    /// BeiDou B-CNAV2 on B2a.
    Cnav2,
    /// BeiDou B-CNAV3 on B2b (I component of MEO and IGSO satellites).
    Cnav3,
    /// BeiDou PPP-B2b, precise corrections on B2b (I component of GEO satellites).
    PppB2b,
    /// SBAS on L1 and BDSBAS-B1C: 250 bit/s, convolutional code.
    Sbas,
    /// Dual-frequency SBAS on L5 and BDSBAS-B2a (DFMC): 250 bit/s, convolutional code.
    SbasDfmc,
    /// GPS and QZSS LNAV on L1 C/A.
    Lnav,
    /// Galileo I/NAV on E1 and E5b; its clock is that of the pair E1, E5b.
    Inav,
    /// Galileo F/NAV on E5a; its clock is that of the pair E1, E5a.
    Fnav,
    /// GLONASS on the FDMA signals.
    Fdma,
}

/// A code laid over the periods of the primary code, one chip a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondaryCode {
    /// Chips, 0 or 1, the first one at the start of a symbol.
    pub chips: Vec<u8>,
}

/// The definition of one signal component. Everything the program knows about a signal is here.
pub struct Signal {
    /// Identity.
    pub id: SignalId,
    /// Name as the interface document writes it.
    pub name: &'static str,
    /// Name of the whole signal, the same for its data and pilot components.
    pub group: &'static str,
    /// System.
    pub constellation: Constellation,
    /// RINEX 4 observation code ("2I").
    pub rinex_code: ObsCode,
    /// Carrier frequency in Hz.
    pub carrier_hz: f64,
    /// Chips of the primary code a second.
    pub chip_rate_hz: f64,
    /// Chips of one period of the primary code.
    pub code_length: usize,
    /// Waveform.
    pub modulation: Modulation,
    /// Share of the signal's power in this component, 0 to 1.
    pub power_share: f64,
    /// Carrier phase relative to the signal's in-phase component, in cycles.
    pub phase_cycles: f64,
    /// The other component of the same signal.
    pub partner: Option<SignalId>,
    /// Numbers for which a code is defined, first and last.
    pub prns: (u8, u8),
    /// Interface document.
    pub source: &'static str,
    pub(crate) code: fn(u8) -> Vec<u8>,
    pub(crate) secondary: fn(u8) -> Option<Vec<u8>>,
    pub(crate) nav_message: fn(u8) -> Option<NavMessage>,
    pub(crate) sends: fn(u8) -> bool,
}

/// Every signal the program knows, in the order they are searched.
pub static ALL: [&Signal; 11] = [
    &b1i::B1I,
    &b1c::B1C_DATA,
    &b1c::B1C_PILOT,
    &b2i::B2I,
    &b3i::B3I,
    &b2a::B2A_DATA,
    &b2a::B2A_PILOT,
    &b2b::B2B_I,
    &l1ca::L1CA,
    &sbas::SBAS_L1,
    &sbas::SBAS_L5,
];

impl Signal {
    /// Chips (0 or 1) of one period of the primary code of satellite `prn`; none if it is not defined.
    pub fn code(&self, prn: u8) -> Option<Vec<u8>> {
        self.has_prn(prn).then(|| (self.code)(prn))
    }

    /// The secondary code of satellite `prn`; none if that satellite sends none.
    pub fn secondary(&self, prn: u8) -> Option<SecondaryCode> {
        if !self.has_prn(prn) {
            return None;
        }
        (self.secondary)(prn).map(|chips| SecondaryCode { chips })
    }

    /// The message that satellite `prn` sends on this component; none on a pilot.
    pub fn nav_message(&self, prn: u8) -> Option<NavMessage> {
        (self.nav_message)(prn)
    }

    /// Whether a code is defined for `prn`.
    pub fn has_prn(&self, prn: u8) -> bool {
        (self.prns.0..=self.prns.1).contains(&prn)
    }

    /// Whether satellite `prn` sends this signal, as far as the present constellations go: codes are defined for
    /// more satellites than send them.
    pub fn sends(&self, prn: u8) -> bool {
        self.has_prn(prn) && (self.sends)(prn)
    }

    /// Every satellite that sends it, see [`sends`](Self::sends).
    pub fn senders(&self) -> impl Iterator<Item = Sat> + '_ {
        self.sats().filter(|sat| self.sends(sat.prn))
    }

    /// Whether satellites are looked for by this component of their signal: the stronger one; of two equal ones
    /// the pilot, which carries no data.
    pub fn leads(&self) -> bool {
        self.partner.is_none_or(|partner| {
            let partner = partner.def();
            let stronger = self.power_share.total_cmp(&partner.power_share);
            stronger.then(self.is_pilot().cmp(&partner.is_pilot())).is_gt()
        })
    }

    /// Whether the component carries no message.
    pub fn is_pilot(&self) -> bool {
        self.sats().all(|sat| self.nav_message(sat.prn).is_none())
    }

    /// Every satellite for which a code is defined.
    pub fn sats(&self) -> impl Iterator<Item = Sat> + use<> {
        let constellation = self.constellation;
        (self.prns.0..=self.prns.1).map(move |prn| Sat { constellation, prn })
    }

    /// Duration of one period of the primary code in seconds.
    pub fn code_period_s(&self) -> f64 {
        self.code_length as f64 / self.chip_rate_hz
    }

    /// Wavelength of the carrier in metres.
    pub fn wavelength_m(&self) -> f64 {
        crate::SPEED_OF_LIGHT / self.carrier_hz
    }

    /// Data symbols a second that satellite `prn` sends; none on a pilot.
    pub fn symbol_rate_hz(&self, prn: u8) -> Option<f64> {
        self.nav_message(prn).map(NavMessage::symbol_rate_hz)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signal({})", self.name)
    }
}

impl NavMessage {
    /// Symbols a second.
    pub fn symbol_rate_hz(self) -> f64 {
        match self {
            Self::D1 | Self::Lnav | Self::Fnav => 50.0,
            Self::Fdma => 100.0,
            Self::Inav => 250.0,
            Self::D2 => 500.0,
            Self::Cnav1 => 100.0,
            Self::Cnav2 => 200.0,
            Self::Cnav3 | Self::PppB2b => 1000.0,
            Self::Sbas | Self::SbasDfmc => 500.0,
        }
    }
}

impl SignalId {
    /// The definition.
    pub fn def(self) -> &'static Signal {
        match self {
            Self::B1I => &b1i::B1I,
            Self::B1CD => &b1c::B1C_DATA,
            Self::B1CP => &b1c::B1C_PILOT,
            Self::B2I => &b2i::B2I,
            Self::B3I => &b3i::B3I,
            Self::B2AD => &b2a::B2A_DATA,
            Self::B2AP => &b2a::B2A_PILOT,
            Self::B2BI => &b2b::B2B_I,
            Self::L1CA => &l1ca::L1CA,
            Self::SBASL1 => &sbas::SBAS_L1,
            Self::SBASL5 => &sbas::SBAS_L5,
        }
    }
}

impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.def().name)
    }
}

impl FromStr for SignalId {
    type Err = ParseError;

    /// Reads a name in any case: "B1I", "l1ca", "L1 C/A". The name of a whole signal, as "B1C", means the component by
    /// which it is looked for (see [`Signal::leads`]).
    fn from_str(s: &str) -> Result<Self, ParseError> {
        let plain = |name: &str| {
            name.chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|c| c.to_ascii_lowercase())
                .collect::<String>()
        };
        let wanted = plain(s);
        ALL.iter()
            .find(|signal| plain(signal.name) == wanted || signal.leads() && plain(signal.group) == wanted)
            .map(|signal| signal.id)
            .ok_or_else(|| ParseError {
                expected: "a known signal (B1I, B1C, B2I, B2a, B2b, B3I, L1CA, SBAS-L1, SBAS-L5)",
                found: s.to_string(),
            })
    }
}
