//! Positions and messages to NMEA, GeoJSON, KML, GPX and JSON lines.
