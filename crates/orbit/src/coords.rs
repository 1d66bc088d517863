//! Coordinates on the WGS 84 ellipsoid (CGCS2000 differs by less than 0.11 mm in height).

/// Earth-centred, earth-fixed position or velocity in metres (or m/s).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ecef {
    /// Towards latitude 0, longitude 0.
    pub x: f64,
    /// Towards latitude 0, longitude 90° E.
    pub y: f64,
    /// Towards the north pole.
    pub z: f64,
}

/// Geodetic position.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Geodetic {
    /// Latitude in degrees, north positive.
    pub lat_deg: f64,
    /// Longitude in degrees, east positive, -180 to 180.
    pub lon_deg: f64,
    /// Height above the ellipsoid in metres.
    pub height_m: f64,
}

/// A local vector in metres (or m/s).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Enu {
    /// East.
    pub e: f64,
    /// North.
    pub n: f64,
    /// Up.
    pub u: f64,
}

/// Direction from a receiver to a satellite, in radians.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Azel {
    /// Azimuth from north over east, 0 to 2 pi.
    pub azimuth: f64,
    /// Elevation above the horizon, -pi/2 to pi/2.
    pub elevation: f64,
}
