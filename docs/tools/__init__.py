"""The site's machinery: it parses, runs, compares and builds; not part of the site."""
