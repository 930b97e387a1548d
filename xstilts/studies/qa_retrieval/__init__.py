"""Study S3: English against multilingual question answering as the intermediate task of retrieval."""
