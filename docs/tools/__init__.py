"""The site's machinery: it parses, runs, compares and builds; never part of the site."""
