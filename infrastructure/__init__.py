"""How Sunlot touches the world: databases, files, keys, clocks, spreadsheets."""
