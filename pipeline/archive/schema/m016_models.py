"""A model at a path is known by its name there: the folders that lead to it are one computer’s, for nobody else."""

SQL = """
update transcripts set model = replace(model, rtrim(model, replace(model, '/', '')), '')
where source = 'whisper' and model like '%/_%';
"""
