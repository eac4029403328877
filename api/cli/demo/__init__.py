"""`sunlot demo`: a made-up city, and two quarters of its inspections."""
